import { TrainingError } from "@photinus/core/errors";
import { elementCount } from "@photinus/core/tensor";
import type { CompiledGraph, InputPort } from "../compile/index.ts";
import { type BatchArray, type BatchBuffers, type Dataset, memoryFor } from "../data/index.ts";
import type { LossTypes } from "../loss/index.ts";
import { feedersOf } from "./feeders.ts";
import type { Runtime, Tensors } from "./runtime.ts";

/** The memory of one batch, written again for every step. */
export class Batch {
  /** The batch as feeds of the compiled graph. */
  readonly feeds: Tensors;
  readonly #inputs: readonly InputPort[];
  readonly #memory: ReadonlyMap<string, BatchArray>;
  readonly #labels: Int32Array | Float32Array;
  readonly #weights: Float32Array;
  readonly #labelling: LossTypes;
  readonly #buffers = new WeakMap<Dataset, BatchBuffers>();

  /** @param compiled fixes names and shapes */
  constructor(runtime: Runtime, { inputs, labels, weights, labelling }: CompiledGraph) {
    this.#inputs = inputs;
    this.#memory = new Map(inputs.map((input) => [input.name, memoryOf(input)]));
    const labelCount = elementCount(labels.shape);
    this.#labels = labels.dtype === "i32" ? new Int32Array(labelCount) : new Float32Array(labelCount);
    this.#weights = new Float32Array(elementCount(weights.shape));
    this.#labelling = labelling;
    this.feeds = {
      ...Object.fromEntries(
        inputs.map(({ name, shape }) => [
          name,
          runtime.tensor(this.#memory.get(name) ?? new Float32Array(), shape),
        ]),
      ),
      [labels.name]: runtime.tensor(this.#labels, labels.shape),
      [weights.name]: runtime.tensor(this.#weights, weights.shape),
    };
  }

  /** The labels of the first `count` examples of the batch, behind which padding may lie. */
  answers(count: number): { readonly labels: Int32Array | Float32Array; readonly labelCount: number } {
    return { labels: this.#labels, labelCount: (count * this.#labels.length) / this.#weights.length };
  }

  /**
   * Reads examples, at most the batch size; what is left of the batch is the same examples again, of weight 0: unlike
   * zeros, they do not move the statistics of a BatchNormalization far. The examples weigh what makes the loss the mean
   * over all labels that count.
   * @returns how many labels count
   * @throws TrainingError `ERR_DATA_MALFORMED` for a label that is no class
   */
  fill(dataset: Dataset, indices: Uint32Array): number {
    const counted = this.read(dataset, indices);
    this.weigh(counted === 0 ? 0 : 1 / counted, indices.length);
    return counted;
  }

  /** As {@link fill}, but leaves the weights to {@link weigh}. */
  read(dataset: Dataset, indices: Uint32Array): number {
    const buffers = this.#buffersFor(dataset);
    dataset.read(indices, buffers);
    for (const memory of buffers.features) this.#repeat(memory, indices.length);
    this.#labels.fill(0, (indices.length * this.#labels.length) / this.#weights.length);
    return this.#counted(indices.length);
  }

  /** The first `count` examples weigh `weight` in the loss, 1 for a sum, and the rest nothing. */
  weigh(weight: number, count: number): void {
    this.#weights.fill(weight, 0, count);
    this.#weights.fill(0, count);
  }

  /** A batch of zeros that counts, for measuring and probing. */
  fillWithZeros(): void {
    for (const memory of this.#memory.values()) {
      if (memory instanceof BigInt64Array) memory.fill(0n);
      else memory.fill(0);
    }
    this.#labels.fill(0);
    this.#weights.fill(1 / this.#weights.length);
  }

  #buffersFor(dataset: Dataset): BatchBuffers {
    const known = this.#buffers.get(dataset);
    if (known !== undefined) return known;
    const features = feedersOf(dataset, this.#inputs).map(
      ({ name }) => this.#memory.get(name) ?? new Float32Array(),
    );
    const buffers = { features, labels: this.#labels };
    this.#buffers.set(dataset, buffers);
    return buffers;
  }

  #repeat(memory: BatchArray, count: number): void {
    const rowLength = memory.length / this.#weights.length;
    for (let row = count; count > 0 && row < this.#weights.length; row++) {
      const source = (row % count) * rowLength;
      memory.copyWithin(row * rowLength, source, source + rowLength);
    }
  }

  #counted(count: number): number {
    const { termsPerExample, classCount, ignoredLabel } = this.#labelling;
    const terms = count * termsPerExample;
    if (classCount === undefined) return terms;
    let ignored = 0;
    for (let index = 0; index < terms; index++) {
      const label = this.#labels[index] ?? 0;
      if (label === ignoredLabel) ignored++;
      else if (label < 0 || label >= classCount) {
        const what = `a label is ${label}, the model knows the classes 0 to ${classCount - 1}`;
        throw new TrainingError("ERR_DATA_MALFORMED", what);
      }
    }
    return terms - ignored;
  }
}

function memoryOf({ nameInFile, dtype, shape }: InputPort): BatchArray {
  if (dtype === "f32" || dtype === "i32" || dtype === "i64" || dtype === "bool") {
    return memoryFor(dtype, elementCount(shape));
  }
  const what = `input ${nameInFile} is ${dtype}: export the model with f32, int32, int64 or bool`;
  throw new TrainingError("ERR_MODEL_SHAPE", what);
}
