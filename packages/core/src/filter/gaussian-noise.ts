import * as v from "valibot";
import { clipToNorm } from "./clip-norm.ts";
import { defineFilter } from "./define.ts";
import { between, bound } from "./fields.ts";
import type { FilterKind } from "./filter.ts";
import { NoiseSource } from "./noise.ts";
import { mapValues, tensorsOf } from "./values.ts";

/**
 * The Gaussian mechanism on the whole update (Dwork and Roth 2014, appendix A; McMahan et al. 2018, for updates): clipped to
 * L2 norm C = `clippingNorm`, then N(0, (σ C)²) on each value, σ = `noiseMultiplier`. It clips by itself, because the noise
 * protects up to that norm only. Protected is whether the site's data took part in the round at all: an update against none.
 */
export const gaussianNoise: FilterKind = defineFilter({
  name: "gaussian-noise",
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({ clippingNorm: bound, noiseMultiplier: between(0.01, 10_000) }),
  // No amplification by sampling: the server sees which sites take part.
  mechanisms: ({ noiseMultiplier }) => [{ kind: "gaussian", noiseMultiplier, samplingRate: 1 }],
  create: ({ clippingNorm, noiseMultiplier }, { clock, random }) => {
    const noise = new NoiseSource(random);
    const sigma = noiseMultiplier * clippingNorm;
    return async (data) => {
      const filter = "gaussian-noise";
      const clipped = await clipToNorm(tensorsOf(data, filter), clippingNorm, { clock, filter });
      const parameters = await mapValues(
        clipped.parameters,
        clock,
        (value) => value + sigma * noise.gaussian(),
      );
      const { norm, factor } = clipped;
      return { data: { kind: "update", parameters }, numbers: { norm, factor, noiseMultiplier, sigma } };
    };
  },
});
