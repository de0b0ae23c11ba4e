import { expect, test } from "vitest";
import { toHex, utf8 } from "../../src/bytes/index.ts";
import { labelled, prologueOf } from "../../src/wire/index.ts";

test("a label is the protocol, the length of the context, the context and the content", () => {
  expect(toHex(labelled("token", utf8("ab"), utf8("c")))).toBe(
    `${toHex(utf8("photinus/1\0"))}05${toHex(utf8("tokenabc"))}`,
  );
});

test("two contexts never yield the same bytes", () => {
  expect(toHex(labelled("server", utf8("x")))).not.toBe(toHex(labelled("client", utf8("x"))));
});

test("the prologue names the project", () => {
  expect(toHex(prologueOf("mnist"))).toBe(`${toHex(utf8("photinus/1\0"))}05${toHex(utf8("mnist"))}`);
  expect(() => prologueOf("")).toThrow(RangeError);
  expect(() => prologueOf("x".repeat(64))).toThrow(RangeError);
});
