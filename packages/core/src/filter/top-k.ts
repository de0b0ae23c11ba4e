import * as v from "valibot";
import { defineFilter } from "./define.ts";
import { positive } from "./fields.ts";
import type { FilterKind } from "./filter.ts";
import { magnitudeOfRank } from "./magnitude.ts";
import { eachBlock, mapValues, refused, tensorsOf, valueCount } from "./values.ts";

const NAME = "top-k";

/**
 * The values of largest magnitude, a `fraction` of all parameters together, at least one; the others become zero (Aji and
 * Heafield 2017). Of equal magnitudes the first ones stay.
 */
export const topK: FilterKind = defineFilter({
  name: NAME,
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({ fraction: positive(1) }),
  create:
    ({ fraction }, { clock }) =>
    async (data) => {
      const update = tensorsOf(data, NAME);
      const count = valueCount(update);
      if (count === 0) throw refused(NAME, "the update has no values");
      const kept = Math.ceil(fraction * count);
      const cutoff = await magnitudeOfRank(update, count - kept, clock);
      let larger = 0;
      await eachBlock(update, clock, ({ values }) => {
        for (let index = 0; index < values.length; index++) {
          if (Math.abs(values[index] ?? 0) > cutoff) larger += 1;
        }
      });
      let equal = kept - larger;
      const parameters = await mapValues(update, clock, (value) => {
        const magnitude = Math.abs(value);
        return magnitude < cutoff || (magnitude === cutoff && equal-- <= 0) ? 0 : value;
      });
      return { data: { kind: "update", parameters }, numbers: { kept, cutoff } };
    },
});
