import { elementCount } from "@photinus/core/tensor";
import type { CompiledGraph } from "../compile/index.ts";
import type { Dataset } from "../data/index.ts";
import type { Runtime, Tensors } from "./runtime.ts";

/** The memory of one batch, written again for every step. */
export class Batch {
  /** The batch as feeds of the compiled graph. */
  readonly feeds: Tensors;
  readonly #examples: Float32Array;
  readonly #labels: Int32Array;
  readonly #weights: Float32Array;

  /** @param compiled fixes names and shapes */
  constructor(runtime: Runtime, { examples, labels, weights }: CompiledGraph) {
    this.#examples = new Float32Array(elementCount(examples.shape));
    this.#labels = new Int32Array(elementCount(labels.shape));
    this.#weights = new Float32Array(elementCount(weights.shape));
    this.feeds = {
      [examples.name]: runtime.tensor(this.#examples, examples.shape),
      [labels.name]: runtime.tensor(this.#labels, labels.shape),
      [weights.name]: runtime.tensor(this.#weights, weights.shape),
    };
  }

  /**
   * Reads examples, at most the batch size; what is left of the batch is the same examples again, of weight 0: unlike
   * zeros, they do not move the statistics of a BatchNormalization far.
   * @param weight of each example: 1 / their number makes the loss their mean, 1 its sum
   */
  fill(dataset: Dataset, indices: Uint32Array, weight: number = 1 / indices.length): void {
    dataset.read(indices, { examples: this.#examples, labels: this.#labels });
    const rowLength = this.#examples.length / this.#weights.length;
    for (let row = indices.length; indices.length > 0 && row < this.#weights.length; row++) {
      const source = (row % indices.length) * rowLength;
      this.#examples.copyWithin(row * rowLength, source, source + rowLength);
    }
    this.#labels.fill(0, indices.length);
    this.#weights.fill(weight, 0, indices.length);
    this.#weights.fill(0, indices.length);
  }

  /** A batch of zeros that counts, for measuring and probing. */
  fillWithZeros(): void {
    this.#examples.fill(0);
    this.#labels.fill(0);
    this.#weights.fill(1 / this.#weights.length);
  }
}
