import * as v from "valibot";

/** Momentum over the rounds. */
export interface ServerMomentumDefinition {
  /** FedAvgM (Hsu et al. 2019); with `nesterov` and many local steps, the outer optimizer of DiLoCo (Douillard et al. 2023). */
  readonly name: "momentum";
  /** η, 0 exclusive to 10. Default: 1. */
  readonly learningRate?: number;
  /** β, in [0, 1). Default: 0.9. */
  readonly momentum?: number;
  /** Looks ahead along the momentum. Default: false. */
  readonly nesterov?: boolean;
}

/** A step of its own for each coordinate (Reddi et al. 2021, "Adaptive Federated Optimization", algorithm 2). */
export interface ServerAdaptiveDefinition {
  /** FedAdagrad, FedAdam or FedYogi. */
  readonly name: "adagrad" | "adam" | "yogi";
  /** η, 0 exclusive to 10. */
  readonly learningRate: number;
  /** β₁, in [0, 1). Default: 0.9; 0 for `adagrad`. */
  readonly beta1?: number;
  /** β₂, in [0, 1); nothing to `adagrad`. Default: 0.99. */
  readonly beta2?: number;
  /** τ, the degree of adaptivity: 1e-9 to 1. Default: 1e-3. */
  readonly tau?: number;
}

/** How the model of the server follows the aggregate of a round. */
export type ServerOptimizerDefinition = (ServerMomentumDefinition | ServerAdaptiveDefinition) & {
  /**
   * Names of tensors that follow the aggregate as it is, or parts of names with `*` for the rest, at most 64: running
   * statistics of normalization, which are no weights and must not be moved beyond what the sites measured. Default: none.
   */
  readonly averaged?: readonly string[];
};

const number = v.pipe(v.number("a number"), v.finite("a finite number"));
const learningRate = v.pipe(number, v.gtValue(0, "greater than 0"), v.maxValue(10, "at most 10"));
const share = v.pipe(number, v.minValue(0, "at least 0"), v.ltValue(1, "less than 1"));
const pattern = v.pipe(v.string("text"), v.minLength(1, "1 character"), v.maxLength(256, "256 characters"));

const averaged = v.exactOptional(
  v.pipe(v.array(pattern, "a list of names"), v.minLength(1, "at least 1"), v.maxLength(64, "at most 64")),
);
const adaptive = {
  learningRate,
  beta1: v.exactOptional(share),
  beta2: v.exactOptional(share),
  tau: v.exactOptional(v.pipe(number, v.minValue(1e-9, "at least 1e-9"), v.maxValue(1, "at most 1"))),
  averaged,
};

/** The server optimizer of a job. */
export const ServerOptimizerSchema: v.GenericSchema<unknown, ServerOptimizerDefinition> = v.variant(
  "name",
  [
    v.strictObject({
      name: v.literal("momentum"),
      learningRate: v.exactOptional(learningRate),
      momentum: v.exactOptional(share),
      nesterov: v.exactOptional(v.boolean("true or false")),
      averaged,
    }),
    v.strictObject({ name: v.literal("adagrad"), ...adaptive }),
    v.strictObject({ name: v.literal("adam"), ...adaptive }),
    v.strictObject({ name: v.literal("yogi"), ...adaptive }),
  ],
  'one of "momentum", "adagrad", "adam", "yogi"',
);
