import * as v from "valibot";
import type { ParameterSet } from "../tensor/index.ts";
import { defineFilter } from "./define.ts";
import { bound } from "./fields.ts";
import type { FilterKind, FilterModules } from "./filter.ts";
import { mapValues, normOf, refused, tensorsOf } from "./values.ts";

/** Rounding each product to float32 makes the norm larger by no more than this factor. */
const ROUNDING = 1 - 2 ** -22;

/** An update whose norm is bounded, and what was done for it. */
export interface Clipped {
  readonly parameters: ParameterSet;
  /** L2 norm before. */
  readonly norm: number;
  /** What each value was multiplied with, in (0, 1]. */
  readonly factor: number;
}

/**
 * Clip by the L2 norm of the whole update: Δ / max(1, ‖Δ‖₂ / C) (Abadi et al. 2016, algorithm 1, for the update as a whole).
 * The norm is at most C afterwards, rounding included.
 */
export async function clipToNorm(
  parameters: ParameterSet,
  clippingNorm: number,
  { clock, filter }: Pick<FilterModules, "clock"> & { readonly filter: string },
): Promise<Clipped> {
  const norm = await normOf(parameters, clock);
  if (!Number.isFinite(norm)) throw refused(filter, "the norm of the update is no finite number");
  if (norm <= clippingNorm) return { parameters, norm, factor: 1 };
  const factor = (clippingNorm / norm) * ROUNDING;
  const clipped = await mapValues(parameters, clock, (value) => value * factor);
  return { parameters: clipped, norm, factor };
}

/** Bounds what one update can say: its L2 norm is at most `clippingNorm`. */
export const clipNorm: FilterKind = defineFilter({
  name: "clip-norm",
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({ clippingNorm: bound }),
  create:
    ({ clippingNorm }, { clock }) =>
    async (data) => {
      const filter = "clip-norm";
      const clipped = await clipToNorm(tensorsOf(data, filter), clippingNorm, { clock, filter });
      const { parameters, norm, factor } = clipped;
      return { data: { kind: "update", parameters }, numbers: { norm, factor, clippingNorm } };
    },
});
