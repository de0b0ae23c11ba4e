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
  readonly #mask: Float32Array;

  /** @param compiled fixes names and shapes */
  constructor(runtime: Runtime, { examples, labels, mask }: CompiledGraph) {
    this.#examples = new Float32Array(elementCount(examples.shape));
    this.#labels = new Int32Array(elementCount(labels.shape));
    this.#mask = new Float32Array(elementCount(mask.shape));
    this.feeds = {
      [examples.name]: runtime.tensor(this.#examples, examples.shape),
      [labels.name]: runtime.tensor(this.#labels, labels.shape),
      [mask.name]: runtime.tensor(this.#mask, mask.shape),
    };
  }

  /** Reads examples; what is left of the batch is zeros with weight 0. `indices` are at most the batch size. */
  fill(dataset: Dataset, indices: Uint32Array): void {
    dataset.read(indices, { examples: this.#examples, labels: this.#labels });
    const rowLength = this.#examples.length / this.#mask.length;
    this.#examples.fill(0, indices.length * rowLength);
    this.#labels.fill(0, indices.length);
    this.#mask.fill(1, 0, indices.length);
    this.#mask.fill(0, indices.length);
  }

  /** A batch of zeros that counts, for measuring and probing. */
  fillWithZeros(): void {
    this.#examples.fill(0);
    this.#labels.fill(0);
    this.#mask.fill(1);
  }
}
