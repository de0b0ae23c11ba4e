import type { Bytes } from "../bytes/index.ts";
import { AggregationError } from "../errors/index.ts";
import type { Accumulator } from "../kernels/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type {
  Aggregate,
  Aggregator,
  AggregatorFactory,
  AggregatorModules,
  Contribution,
} from "./aggregator.ts";
import { MAX_LOCAL_WORK } from "./aggregator.ts";
import { requireFloats, requireSummable, requireWeight, Turns } from "./checks.ts";
import type { AggregationDefinition } from "./definition.ts";
import { blocksOf, floatsOf, measureUpdate } from "./update.ts";

/**
 * FedAvg (McMahan et al. 2017, algorithm 1, line 8): Δ = Σ (n_k / n) Δ_k with n = Σ n_k, over deltas; as `normalized-mean`
 * FedNova (Wang et al. 2020, equation 6): Δ = τ Σ (n_k / n) Δ_k / a_k with τ = Σ (n_k / n) a_k, a_k being the local work.
 *
 * The sum Σ n_k Δ_k runs in float32 in the order of `add`, which the journal of a job records, so that a resume
 * repeats it bit for bit; it is divided once, at the end. With a clipping norm C, Δ_k counts as Δ_k · min(1, C / ‖Δ_k‖). One model of memory, whatever the number of sites.
 */
export const weightedMean: AggregatorFactory = (layout, modules, definition) =>
  new WeightedMean(layout, modules, termsOf(definition));

/** What makes one mean another. */
interface Terms {
  readonly clippingNorm: number;
  readonly isEqual: boolean;
  readonly isNormalized: boolean;
}

function termsOf(definition?: AggregationDefinition): Terms {
  const mean = definition?.name === "weighted-mean" ? definition : undefined;
  return {
    clippingNorm: mean?.clippingNorm ?? Number.POSITIVE_INFINITY,
    isEqual: mean?.weights === "equal",
    isNormalized: definition?.name === "normalized-mean",
  };
}

class WeightedMean implements Aggregator {
  readonly #layout: TensorLayout;
  readonly #modules: AggregatorModules;
  #sum: Accumulator | undefined;
  #weight = 0;
  #contributions = 0;
  readonly #turns = new Turns();
  readonly #terms: Terms;
  /** Σ n_k a_k */
  #work = 0;

  constructor(layout: TensorLayout, modules: AggregatorModules, terms: Terms) {
    requireFloats(layout);
    this.#layout = layout;
    this.#modules = modules;
    this.#terms = terms;
  }

  measure(update: Bytes): Promise<number> {
    return measureUpdate(this.#layout, update, this.#modules);
  }

  add(contribution: Contribution): Promise<boolean> {
    return this.#turns.run(async () => {
      const { update, admit } = contribution;
      const { isEqual, isNormalized, clippingNorm } = this.#terms;
      const given = requireWeight(contribution.weight);
      const weight = isEqual ? 1 : given;
      const work = this.#workOf(contribution);
      const norm = await this.measure(update);
      const scale = Math.min(1, clippingNorm / norm) / work; // 1 for a norm of 0
      // What was divided by the work of one site is multiplied with that of all.
      requireSummable(weight * scale * norm * (isNormalized ? MAX_LOCAL_WORK : 1), "norm times weight");
      if (admit?.(norm) === false) return false;
      this.#weight += weight;
      this.#work += weight * work;
      this.#contributions += 1;
      const sum = this.#accumulator();
      for await (const { start, values } of blocksOf(floatsOf(update), this.#modules.clock)) {
        sum.addScaled(start, values, weight * scale);
      }
      return true;
    });
  }

  finish(target: Bytes = new Uint8Array(this.#layout.byteLength)): Promise<Aggregate> {
    return this.#turns.run(async () => {
      if (this.#contributions === 0) {
        throw new AggregationError("ERR_AGGREGATION_EMPTY", "no contribution was added");
      }
      if (target.byteLength !== this.#layout.byteLength)
        throw new RangeError("the target has another length");
      const sum = this.#accumulator();
      const { isNormalized } = this.#terms;
      const distance = isNormalized ? this.#work / this.#weight : 1;
      for await (const { start, values } of blocksOf(floatsOf(target), this.#modules.clock)) {
        sum.read(start, values);
        for (let index = 0; index < values.length; index++)
          values[index] = ((values[index] ?? 0) / this.#weight) * distance;
      }
      await this.measure(target); // fails closed: no sum of summable updates overflows
      return { update: target, weight: this.#weight, contributions: this.#contributions };
    });
  }

  reset(): void {
    this.release();
    this.#weight = 0;
    this.#work = 0;
    this.#contributions = 0;
  }

  release(): void {
    this.#sum?.release();
    this.#sum = undefined;
  }

  /** a_k; 1 where nothing is divided by it. */
  #workOf({ localWork = 1 }: Contribution): number {
    if (!this.#terms.isNormalized) return 1;
    if (localWork > 0 && localWork <= MAX_LOCAL_WORK) return localWork;
    throw new AggregationError("ERR_AGGREGATION_WEIGHT", `local work of ${localWork} steps`);
  }

  /** Lent at the first contribution, so that a job that waits holds no memory. */
  #accumulator(): Accumulator {
    this.#sum ??= this.#modules.kernels.accumulator(this.#layout.byteLength / 4);
    return this.#sum;
  }
}
