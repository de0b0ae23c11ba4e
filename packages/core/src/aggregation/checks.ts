import { AggregationError } from "../errors/index.ts";
import type { TensorLayout } from "../tensor/index.ts";

/** @throws AggregationError `ERR_AGGREGATION_SHAPE` when a tensor of the layout is not f32 */
export function requireFloats(layout: TensorLayout): void {
  const odd = layout.tensors.find(({ dtype }) => dtype !== "f32");
  if (odd === undefined) return;
  throw new AggregationError("ERR_AGGREGATION_SHAPE", `${odd.name} is ${odd.dtype}; only f32 is averaged`);
}

/**
 * Largest n_k ‖Δ_k‖, or ‖Δ_k‖² where updates are multiplied with each other, of one contribution. Ten thousand of them together stay far below what a float32 holds (3.4e38), and
 * so does a model after any number of rounds: no site can make the mean of all infinite.
 */
const LARGEST_SUMMAND = 1e30;

/** @param what the size is of, for people @throws AggregationError `ERR_AGGREGATION_NOT_FINITE` */
export function requireSummable(size: number, what: string): void {
  if (size <= LARGEST_SUMMAND) return;
  throw new AggregationError(
    "ERR_AGGREGATION_NOT_FINITE",
    `the update is too large to be summed: ${what} is ${size}, at most ${LARGEST_SUMMAND}`,
  );
}

/**
 * A weight as the kernels use it: float32. Rounding it here keeps Σ n_k of the same numbers.
 * @throws AggregationError `ERR_AGGREGATION_WEIGHT`
 */
export function requireWeight(weight: number): number {
  const rounded = Math.fround(weight);
  if (!(rounded > 0) || !Number.isFinite(rounded)) {
    throw new AggregationError("ERR_AGGREGATION_WEIGHT", `a weight is positive and finite, got ${weight}`);
  }
  return rounded;
}

/** Runs what is asked of it one after another. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what `act` returns, when its turn has come */
  run<T>(act: () => Promise<T>): Promise<T> {
    const outcome = this.#last.then(act);
    this.#last = outcome.catch(() => undefined); // who called hears of it; the next goes on
    return outcome;
  }
}
