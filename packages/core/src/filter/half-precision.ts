import * as v from "valibot";
import { defineFilter } from "./define.ts";
import type { FilterKind } from "./filter.ts";
import { mapValues, refused, tensorsOf } from "./values.ts";

const NAME = "fp16";
/** Largest finite number of half precision. */
const LARGEST = 65_504;
/** Smallest normal number; below it the numbers of half precision are multiples of {@link SMALLEST}. */
const SMALLEST_NORMAL = 2 ** -14;
const SMALLEST = 2 ** -24;

/**
 * Each value becomes the nearest of half precision (IEEE 754 binary16, ties to even). It still travels as float32: what
 * is lost is precision, not bytes. A value beyond ±65 504 is refused.
 */
export const halfPrecision: FilterKind = defineFilter({
  name: NAME,
  understands: ["model", "update"],
  passes: ["metrics"],
  schema: v.strictObject({}),
  create: (_args, { clock }) => {
    const [float, bits] = twoViews();
    return async (data) => {
      let largestError = 0;
      const before = tensorsOf(data, NAME);
      const parameters = await mapValues(before, clock, (value, _index, name) => {
        const half = nearestHalf(value, float, bits);
        if (Math.abs(half) > LARGEST) throw refused(NAME, `a value of ${name} is beyond ±${LARGEST}`);
        largestError = Math.max(largestError, Math.abs(half - value));
        return half;
      });
      return { data: { kind: data.kind, parameters }, numbers: { largestError } };
    };
  },
});

function twoViews(): readonly [Float32Array, Uint32Array] {
  const float = new Float32Array(1);
  return [float, new Uint32Array(float.buffer)];
}

function nearestHalf(value: number, float: Float32Array, bits: Uint32Array): number {
  if (Math.abs(value) < SMALLEST_NORMAL) return roundToEven(value / SMALLEST) * SMALLEST;
  float[0] = value;
  const word = bits[0] ?? 0;
  // Of the 23 bits behind the point 10 stay: half of the last one is added, less one where that would leave it odd.
  bits[0] = (word + 0xfff + ((word >>> 13) & 1)) & ~0x1fff;
  return float[0] ?? 0;
}

/** The nearest whole number, the even one of two. */
export function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
