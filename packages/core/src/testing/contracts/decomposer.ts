import { describe, expect, test } from "vitest";
import { type Bytes, concatBytes, toHex } from "../../bytes/index.ts";
import { createRegistry, type Decomposer, decode, encode, writePositional } from "../../decomposer/index.ts";
import { DecomposerError } from "../../errors/index.ts";
import { type SeededRandom, seededRandom } from "../seeded-random.ts";

/** What a decomposer is tested with. */
export interface DecomposerSamples<T> {
  /** Values that may travel, the smallest and the largest of them included. */
  readonly values: readonly T[];
  /** Values of the class that may not travel. */
  readonly refused: readonly T[];
  /** Fields that stand for no value. */
  readonly badFields: readonly unknown[];
  /** Other types that occur inside the values. */
  readonly others?: readonly Decomposer[];
}

/** What every decomposer keeps. */
export function decomposerContract<T>(decomposer: Decomposer<T>, samples: DecomposerSamples<T>): void {
  const registry = createRegistry([...(samples.others ?? []), decomposer]);
  describe(`decomposer ${decomposer.name}`, () => {
    test.each(samples.values.map((value) => [value]))("%o comes back equal, in one encoding", (value) => {
      const bytes = encode(value, registry);
      const back = decode(bytes, registry);

      expect(back).toEqual(value);
      expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(value));
      expect(toHex(encode(back, registry))).toBe(toHex(bytes));
    });

    test.each(samples.refused.map((value) => [value]))("%o is refused before it is sent", (value) => {
      expect(() => encode(value, registry)).toThrow(expect.objectContaining({ code: "ERR_ENCODE_REFUSED" }));
    });

    test.each(samples.badFields.map((fields) => [fields]))("fields %o are refused", (fields) => {
      const bytes = registered(decomposer.id, encode(fields, registry));

      expect(() => decode(bytes, registry)).toThrow(expect.objectContaining({ code: "ERR_DECODE_REFUSED" }));
    });

    test("another registry refuses it by id", () => {
      const [value] = samples.values;
      const others = createRegistry(samples.others ?? []);

      expect(() => encode(value, others)).toThrow(expect.objectContaining({ code: "ERR_ENCODE_REFUSED" }));
      expect(() => decode(encode(value, registry), others)).toThrow(
        `type ${decomposer.id} is not registered`,
      );
    });

    test("altered and cut bytes raise nothing but a refusal", () => {
      const random = seededRandom(decomposer.name);
      for (const value of samples.values) {
        const good = encode(value, registry);
        const outcomes = Array.from({ length: 500 }, () =>
          refusalOf(() => decode(altered(good, random), registry)),
        );
        expect(outcomes).not.toContain(false);
      }
    });
  });
}

/** The extension of a registered type around `fields`. */
function registered(id: number, fields: Bytes): Bytes {
  const head = writePositional([id, null]).slice(0, -1); // an array of two without its second value
  const length = head.byteLength + fields.byteLength;
  const fixed = [1, 2, 4, 8, 16].indexOf(length);
  const prefix =
    fixed >= 0 ? [0xd4 + fixed] : length < 256 ? [0xc7, length] : [0xc8, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.from([...prefix, 1]), head, fields);
}

/** One byte changed, and every fifth time cut. */
function altered(good: Bytes, random: SeededRandom): Bytes {
  const bytes = good.slice(0, random.integer(5) === 0 ? random.integer(good.length) : good.length);
  if (bytes.length > 0) bytes[random.integer(bytes.length)] = random.integer(256);
  return bytes;
}

/** True when `run` succeeds or refuses as it should. */
function refusalOf(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof DecomposerError && error.code === "ERR_DECODE_REFUSED";
  }
}
