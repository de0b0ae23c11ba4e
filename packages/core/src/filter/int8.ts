import * as v from "valibot";
import { defineFilter } from "./define.ts";
import type { FilterKind } from "./filter.ts";
import { roundToEven } from "./half-precision.ts";
import { eachBlock, mapValues, refused, tensorsOf, valueCount } from "./values.ts";

const NAME = "int8";
/** Symmetric: -127 to 127 steps. */
const STEPS = 127;

/**
 * Each value becomes one of 255 of its tensor, multiples of the largest magnitude over 127. What that rounds off is added to
 * the next update of the job (error feedback; Seide et al. 2014, Karimireddy et al. 2019), so that over the rounds what was
 * sent is what was trained, but for the last remainder. It still travels as float32: what is lost is precision, not bytes.
 */
export const int8: FilterKind = defineFilter({
  name: NAME,
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({}),
  create: (_args, { clock }) => {
    let remainder = new Float32Array(0);
    return async (data) => {
      const before = tensorsOf(data, NAME);
      const count = valueCount(before);
      if (remainder.length === 0) remainder = new Float32Array(count);
      if (remainder.length !== count) throw refused(NAME, "the update has another shape than the last one");
      const owed = await mapValues(before, clock, (value, index) => value + (remainder[index] ?? 0));
      const steps = new Map<string, number>();
      await eachBlock(owed, clock, ({ name, values }) => {
        let largest = (steps.get(name) ?? 0) * STEPS;
        for (let index = 0; index < values.length; index++) {
          largest = Math.max(largest, Math.abs(values[index] ?? 0));
        }
        steps.set(name, largest / STEPS);
      });
      const next = new Float32Array(count);
      let squares = 0;
      const parameters = await mapValues(owed, clock, (value, index, name) => {
        const step = steps.get(name) ?? 0;
        const sent = step === 0 ? 0 : Math.fround(roundToEven(value / step) * step);
        const rest = value - sent;
        next[index] = rest;
        squares += rest * rest;
        return sent;
      });
      remainder = next;
      return { data: { kind: "update", parameters }, numbers: { remainderNorm: Math.sqrt(squares) } };
    };
  },
});
