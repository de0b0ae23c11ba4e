import { fromHex, toHex } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import { describe, expect, test } from "vitest";
import published from "../../../../test/vectors/wire/decomposers.json" with { type: "json" };
import { fromNotation, measurementDecomposer, type Notation } from "./notation.ts";

const registry = builtInRegistry(measurementDecomposer);
const vectors = published.vectors as readonly {
  readonly name: string;
  readonly value: Notation;
  readonly bytes: string;
}[];

describe("the published bytes", () => {
  test.each(vectors)("$name is written so", ({ value, bytes }) => {
    expect(toHex(encode(fromNotation(value), registry))).toBe(bytes);
  });

  test.each(vectors)("$name is read, and written as it was", ({ value, bytes }) => {
    const decoded = decode(fromHex(bytes), registry);

    expect(decoded).toEqual(fromNotation(value));
    expect(toHex(encode(decoded, registry))).toBe(bytes);
  });

  test("show every type that is registered", () => {
    const shown = vectors.map(({ value }) => Object.keys(value)[0]);

    expect(Object.keys(published.types).filter((name) => !shown.includes(name))).toEqual([]);
  });
});

test.each(published.refused)("refuses $name", ({ bytes }) => {
  const refused = expect.objectContaining({ name: "DecomposerError", code: "ERR_DECODE_REFUSED" });

  expect(() => decode(fromHex(bytes), registry)).toThrow(refused);
});
