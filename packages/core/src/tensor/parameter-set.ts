import type { DType } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/** One line of a parameter table. */
export interface ParameterDescriptor {
  /** Unique in its table. */
  readonly name: string;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Dimensions, slowest first. */
  readonly shape: readonly number[];
  /** False for tensors that stay as they are (frozen weights, constants). */
  readonly trainable: boolean;
}

/** Named tensors in a fixed order: a model's parameters, or a delta of them. */
export class ParameterSet {
  readonly #tensors: ReadonlyMap<string, Tensor>;

  /** @param entries kept in this order. @throws RangeError when a name occurs twice */
  constructor(entries: Iterable<readonly [name: string, tensor: Tensor]>) {
    const tensors = new Map<string, Tensor>();
    for (const [name, tensor] of entries) {
      if (tensors.has(name)) throw new RangeError(`parameter ${name} occurs twice`);
      tensors.set(name, tensor);
    }
    this.#tensors = tensors;
  }

  /** Number of tensors. */
  get size(): number {
    return this.#tensors.size;
  }

  /** Bytes of all tensors together. */
  get byteLength(): number {
    let total = 0;
    for (const tensor of this.#tensors.values()) total += tensor.data.byteLength;
    return total;
  }

  /** The tensor of that name, if any. */
  get(name: string): Tensor | undefined {
    return this.#tensors.get(name);
  }

  /** True when there is a tensor of that name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The names, in order. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Names and tensors, in order. */
  entries(): [name: string, tensor: Tensor][] {
    return [...this.#tensors.entries()];
  }

  /** Names and tensors, in order. */
  [Symbol.iterator](): IterableIterator<[name: string, tensor: Tensor]> {
    return this.#tensors.entries();
  }
}
