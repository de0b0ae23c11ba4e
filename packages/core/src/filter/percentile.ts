import * as v from "valibot";
import type { ParameterSet } from "../tensor/index.ts";
import { defineFilter } from "./define.ts";
import { between, bound } from "./fields.ts";
import type { FilterKind, FilterModules } from "./filter.ts";
import { magnitudeOfRank } from "./magnitude.ts";
import { mapValues, refused, tensorsOf, valueCount } from "./values.ts";

const NAME = "percentile";

/**
 * Only the largest changes, and of those no more than `bound` (Shokri and Shmatikov 2015; FLARE's percentile_privacy): a value
 * whose magnitude is below that percentile of all magnitudes becomes zero, one beyond `bound` becomes `bound`. No guarantee
 * of differential privacy.
 */
export const percentile: FilterKind = defineFilter({
  name: NAME,
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({ percentile: between(0, 100), bound }),
  create:
    (args, { clock }) =>
    async (data) => {
      const update = tensorsOf(data, NAME);
      if (valueCount(update) === 0) throw refused(NAME, "the update has no values");
      const cutoff = await percentileOf(update, args.percentile, clock);
      let kept = 0;
      const parameters = await mapValues(update, clock, (value) => {
        if (Math.abs(value) < cutoff) return 0;
        kept += 1;
        return Math.min(args.bound, Math.max(-args.bound, value));
      });
      return { data: { kind: "update", parameters }, numbers: { cutoff, kept, bound: args.bound } };
    },
});

/** As NumPy's: between two ranks, linearly. */
async function percentileOf(
  parameters: ParameterSet,
  percent: number,
  clock: FilterModules["clock"],
): Promise<number> {
  const place = (percent / 100) * (valueCount(parameters) - 1);
  const rank = Math.floor(place);
  const below = await magnitudeOfRank(parameters, rank, clock);
  if (place === rank) return below;
  const above = await magnitudeOfRank(parameters, rank + 1, clock);
  return below + (place - rank) * (above - below);
}
