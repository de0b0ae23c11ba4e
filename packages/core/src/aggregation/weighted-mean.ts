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
import { blocksOf, floatsOf, measureUpdate } from "./update.ts";

/**
 * FedAvg (McMahan et al. 2017, algorithm 1, line 8): Δ = Σ (n_k / n) Δ_k with n = Σ n_k, over deltas.
 *
 * The sum Σ n_k Δ_k runs in float32 in the order of `add`, which the journal of a job records, so that a resume
 * repeats it bit for bit; it is divided once, at the end. One model of memory, whatever the number of sites.
 */
export const weightedMean: AggregatorFactory = (layout, modules) => new WeightedMean(layout, modules);

class WeightedMean implements Aggregator {
  readonly #layout: TensorLayout;
  readonly #modules: AggregatorModules;
  #sum: Accumulator | undefined;
  #weight = 0;
  #contributions = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(layout: TensorLayout, modules: AggregatorModules) {
    const odd = layout.tensors.find(({ dtype }) => dtype !== "f32");
    if (odd !== undefined) {
      throw new AggregationError(
        "ERR_AGGREGATION_SHAPE",
        `${odd.name} is ${odd.dtype}; only f32 is averaged`,
      );
    }
    this.#layout = layout;
    this.#modules = modules;
  }

  measure(update: Bytes): Promise<number> {
    return measureUpdate(this.#layout, update, this.#modules);
  }

  add(contribution: Contribution): Promise<boolean> {
    return this.#inTurn(async () => {
      const { update, admit } = contribution;
      const weight = requireWeight(contribution.weight);
      const norm = await this.measure(update);
      requireSummable(weight * norm);
      if (admit?.(norm) === false) return false;
      this.#weight += weight;
      this.#contributions += 1;
      const sum = this.#accumulator();
      for await (const { start, values } of blocksOf(floatsOf(update), this.#modules.clock)) {
        sum.addScaled(start, values, weight);
      }
      return true;
    });
  }

  finish(target: Bytes = new Uint8Array(this.#layout.byteLength)): Promise<Aggregate> {
    return this.#inTurn(async () => {
      if (this.#contributions === 0) {
        throw new AggregationError("ERR_AGGREGATION_EMPTY", "no contribution was added");
      }
      if (target.byteLength !== this.#layout.byteLength)
        throw new RangeError("the target has another length");
      const sum = this.#accumulator();
      for await (const { start, values } of blocksOf(floatsOf(target), this.#modules.clock)) {
        sum.read(start, values);
        for (let index = 0; index < values.length; index++)
          values[index] = (values[index] ?? 0) / this.#weight;
      }
      await this.measure(target); // fails closed: no sum of summable updates overflows
      return { update: target, weight: this.#weight, contributions: this.#contributions };
    });
  }

  reset(): void {
    this.release();
    this.#weight = 0;
    this.#contributions = 0;
  }

  release(): void {
    this.#sum?.release();
    this.#sum = undefined;
  }

  /** Lent at the first contribution, so that a job that waits holds no memory. */
  #accumulator(): Accumulator {
    this.#sum ??= this.#modules.kernels.accumulator(this.#layout.byteLength / 4);
    return this.#sum;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const outcome = this.#turn.then(run);
    this.#turn = outcome.catch(() => undefined); // who called hears of it; the next goes on
    return outcome;
  }
}

/**
 * Largest n_k ‖Δ_k‖ of one contribution. Ten thousand of them together stay far below what a float32 holds (3.4e38), and
 * so does a model after any number of rounds: no site can make the mean of all infinite.
 */
const MAX_WEIGHTED_NORM = 1e30;

function requireSummable(weightedNorm: number): void {
  if (weightedNorm <= MAX_WEIGHTED_NORM) return;
  throw new AggregationError(
    "ERR_AGGREGATION_NOT_FINITE",
    `the update is too large to be summed: norm times weight is ${weightedNorm}, at most ${MAX_WEIGHTED_NORM}`,
  );
}

/** As the kernel uses it: float32. Rounding it here keeps Σ n_k of the same numbers. */
function requireWeight(weight: number): number {
  const rounded = Math.fround(weight);
  if (!(rounded > 0) || !Number.isFinite(rounded)) {
    throw new AggregationError("ERR_AGGREGATION_WEIGHT", `a weight is positive and finite, got ${weight}`);
  }
  return rounded;
}
