/**
 * Numbers in bulk. Two implementations, WebAssembly SIMD and JavaScript, give the same bits for the same calls: every
 * operation is one rounding of IEEE 754, in an order that is fixed by the index of the element.
 */
export interface Kernels {
  /** Which of the two it is; for logs and metrics. */
  readonly implementation: "wasm" | "javascript";
  /**
   * A zeroed row of float32 that weighted values are added to.
   * @throws RangeError when there is no memory for it (WebAssembly: 4 GiB for all together)
   */
  accumulator(length: number): Accumulator;
  /**
   * Σ v² in float64. Not finite exactly when one of the values is NaN or infinite, so one pass checks and measures.
   * The order of the sum depends on the length only; summing part by part gives other bits than summing the whole.
   */
  sumOfSquares(values: Float32Array): number;
}

/** See {@link Kernels.accumulator}. */
export interface Accumulator {
  /** Elements. */
  readonly length: number;
  /**
   * accumulator[offset + i] = f32(accumulator[offset + i] + f32(f32(weight) · values[i])).
   * @param values read only, of any alignment
   * @throws RangeError when it would end outside
   */
  addScaled(offset: number, values: Float32Array, weight: number): void;
  /** Copies `target.length` elements from `offset` on into `target`. @throws RangeError when they end outside */
  read(offset: number, target: Float32Array): void;
  /** Gives the memory back. Idempotent; every other call afterwards is a TypeError. */
  release(): void;
}

/** @throws RangeError unless `length` elements from `offset` on lie within `size` */
export function requireRange(size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > size) {
    throw new RangeError(`${length} elements from ${offset} on end outside ${size}`);
  }
}
