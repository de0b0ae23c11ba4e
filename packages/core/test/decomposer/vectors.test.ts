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

describe("what is refused", () => {
  const refused = expect.objectContaining({ name: "DecomposerError", code: "ERR_DECODE_REFUSED" });

  test.each(published.refused)("$name", ({ bytes }) => {
    expect(() => decode(fromHex(bytes), registry)).toThrow(refused);
  });

  test.each(published.refused.filter(({ bytes }) => bytes !== ""))(
    "$name, deep inside: told by its place",
    ({ bytes }) => {
      // {"a": [null, <here>]}
      const outer = fromHex(`81a16192c0${bytes}`);

      expect(() => decode(outer, registry)).toThrow(refused);
      expect(() => decode(outer, registry)).toThrow(/^\$\.a(\[1\]| \(byte)|^\$ \(byte/);
    },
  );

  test.each([
    ["a date of -0", "$.<Date> "],
    ["a set with a member twice", "$.<Set> "],
    ["a Map with a key twice", "$.<Map> "],
    ["a bigint that is a string", "$.<bigint> "],
    ["a Float32Array of three bytes", "$.<Float32Array> "],
    ["a bool that is 2", "$.<Tensor> "],
    ["a ParameterSet with a name twice", "$.<ParameterSet> "],
    ["a record with too few fields", "$.<Measurement> "],
  ])("%s is told by the name of its type", (name, place) => {
    const { bytes = "" } = published.refused.find((each) => each.name === name) ?? {};

    expect(() => decode(fromHex(bytes), registry)).toThrow(place);
  });
});
