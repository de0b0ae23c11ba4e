import { expect, test } from "vitest";
import { readWelcome } from "../../src/session/welcome.ts";
import { FRAME_KIND, readFrame, writeFrame } from "../../src/wire/index.ts";
import { aWelcome } from "./a-welcome.ts";

test.for([
  ["a header", { header: Uint8Array.of(1) }],
  ["a tag", { tag: Uint8Array.of(1) }],
] as const)("WELCOME has no %s", ([, part]) => {
  const { payload } = readFrame(aWelcome({}));
  const read = (parts: typeof part | object) =>
    readWelcome(readFrame(writeFrame(FRAME_KIND.welcome, { payload, ...parts })));

  expect(read({}).scope).toBe("full");
  expect(() => read(part)).toThrow(expect.objectContaining({ code: "ERR_FRAME_MALFORMED" }));
});
