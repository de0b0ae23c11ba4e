import * as v from "valibot";

/** FedAvg's mean, weighted by example counts. */
export interface WeightedMeanDefinition {
  /** Name of the rule. */
  readonly name: "weighted-mean";
  /**
   * Norm bounding (Sun et al. 2019, "Can You Really Backdoor Federated Learning?"): an update with a larger L2 norm counts
   * as if it were scaled down to this one, > 0. Absent: as it is.
   */
  readonly clippingNorm?: number;
  /** What a site weighs: as many as it has examples, or as much as every other. Default: `examples`. */
  readonly weights?: "examples" | "equal";
}

/**
 * FedNova (Wang et al. 2020, "Tackling the Objective Inconsistency Problem", equation 6): what a site brings is divided by the
 * steps that it took, so that nobody pulls the model for having taken more, and the whole goes as far as the mean of them.
 */
export interface NormalizedMeanDefinition {
  /** Name of the rule. */
  readonly name: "normalized-mean";
}

/** What is done with the updates before the rule itself sees them. */
export type Mixing =
  /** Each update becomes the mean of its n − f nearest ones (Allouah et al. 2023, "Fixing by Mixing", algorithm 2). */
  | { readonly name: "nearest-neighbours" }
  /** Means of buckets of so many updates, drawn at random, take their place (Karimireddy et al. 2022, algorithm 1). */
  | { readonly name: "bucketing"; readonly size: number };

/** What every robust rule says. It counts sites, not examples: how many examples a site has is only its own word. */
export interface RobustDefinition {
  /** f: so many of the contributions of a round may be anything at all. */
  readonly byzantine: number;
  /** Default: none. */
  readonly mixing?: Mixing;
}

/** The median of each coordinate (Yin et al. 2018, definition 1). */
export interface MedianDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "median";
}

/** The mean of each coordinate without its f smallest and f largest values (Yin et al. 2018, definition 2). */
export interface TrimmedMeanDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "trimmed-mean";
}

/** The point whose distances to all updates add up to the least (Pillutla et al. 2022, RFA), weighted by example counts. */
export interface GeometricMedianDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "geometric-median";
}

/** Updates pulled to within a radius of the present estimate, averaged, again and again (Karimireddy et al. 2021). */
export interface CenteredClippingDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "centered-clipping";
  /** τ: L2 norm, > 0. */
  readonly radius: number;
  /** Passes, 1 to 100, from the origin on: no change of the model. */
  readonly iterations: number;
}

/** The update whose n − f − 2 nearest ones are the nearest (Blanchard et al. 2017, Krum). */
export interface KrumDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "krum";
}

/** The mean of the `selected` updates that Krum rates best (Blanchard et al. 2017, Multi-Krum). */
export interface MultiKrumDefinition extends RobustDefinition {
  /** Name of the rule. */
  readonly name: "multi-krum";
  /** m: 1 to n − f − 2. */
  readonly selected: number;
}

/** How the updates of a round become one; part of a job. */
export type AggregationDefinition =
  | WeightedMeanDefinition
  | NormalizedMeanDefinition
  | MedianDefinition
  | TrimmedMeanDefinition
  | GeometricMedianDefinition
  | CenteredClippingDefinition
  | KrumDefinition
  | MultiKrumDefinition;

/** A rule that tolerates Byzantine sites. */
export type RobustRule = Exclude<AggregationDefinition, WeightedMeanDefinition | NormalizedMeanDefinition>;

const whole = (least: number, most: number) =>
  v.pipe(
    v.number("a whole number"),
    v.safeInteger("a whole number"),
    v.minValue(least, `at least ${least}`),
    v.maxValue(most, `at most ${most}`),
  );

const norm = v.pipe(v.number("a number"), v.gtValue(0, "greater than 0"), v.maxValue(1e30, "at most 1e30"));

const MixingSchema = v.variant(
  "name",
  [
    v.strictObject({ name: v.literal("nearest-neighbours") }),
    v.strictObject({ name: v.literal("bucketing"), size: whole(2, 1000) }),
  ],
  '"nearest-neighbours" or "bucketing"',
);

const robust = { byzantine: whole(0, 5000), mixing: v.exactOptional(MixingSchema) };

/** The aggregation of a job; `infeasibility` tells whether it can work with so many sites. */
export const AggregationSchema: v.GenericSchema<unknown, AggregationDefinition> = v.variant(
  "name",
  [
    v.strictObject({
      name: v.literal("weighted-mean"),
      clippingNorm: v.exactOptional(norm),
      weights: v.exactOptional(v.picklist(["examples", "equal"], 'one of "examples", "equal"')),
    }),
    v.strictObject({ name: v.literal("normalized-mean") }),
    v.strictObject({ name: v.literal("median"), ...robust }),
    v.strictObject({ name: v.literal("trimmed-mean"), ...robust }),
    v.strictObject({ name: v.literal("geometric-median"), ...robust }),
    v.strictObject({
      name: v.literal("centered-clipping"),
      ...robust,
      radius: norm,
      iterations: whole(1, 100),
    }),
    v.strictObject({ name: v.literal("krum"), ...robust }),
    v.strictObject({ name: v.literal("multi-krum"), ...robust, selected: whole(1, 10_000) }),
  ],
  "the name of a rule of aggregation",
);
