import type { Bytes } from "../bytes/index.ts";

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
  /**
   * Zeroed rows of equal length side by side, for rules that compare what many sites sent.
   * @param length floats of each row, 1 to {@link LONGEST_ROW}
   * @throws RangeError as {@link accumulator} does
   */
  rows(count: number, length: number): Rows;
  /**
   * Bytes in which updates wait until they are added: mostly where {@link accumulator} adds without copying. Whatever was there
   * before still is.
   * @throws RangeError as {@link accumulator} does
   */
  buffer(byteLength: number): KernelBuffer;
}

/** See {@link Kernels.buffer}. */
export interface KernelBuffer {
  /** Aligned to 16; not to be touched any more once released. */
  readonly bytes: Bytes;
  /** Gives the memory back. Idempotent. */
  release(): void;
}

/** Most floats of a row. */
export const LONGEST_ROW = 16_384;

/** See {@link Kernels.rows}. Values are finite: comparisons do not look for NaN. */
export interface Rows {
  /** Number of rows. */
  readonly count: number;
  /** Floats of each. */
  readonly length: number;
  /** Puts `values` at the beginning of a row; what follows them becomes zero. */
  write(row: number, values: Float32Array): void;
  /** row_k[i] = f32(row_k[i] − values[i]) for every k. @param values of the rows' length */
  subtract(values: Float32Array): void;
  /** target[i] = Σ_k f32(coefficients[k] · row_k[i]) in float32, k rising; coefficients that are zero cost nothing. */
  combine(coefficients: Float32Array, target: Float32Array): void;
  /**
   * gram[k · count + j] += row_k · row_j for the four rows k from `first` on and every j ≤ first + 3: products and sums
   * of 1 024 floats in float32, four lanes, their totals in float64. What lies above the diagonal of
   * `gram` is not to be read.
   * @param first a multiple of 4 @param gram `count`² numbers
   */
  addProducts(first: number, gram: Float64Array): void;
  /**
   * target[i] = mean of the values `range.from` to `range.to` − 1 of column `start + i`, sorted. Afterwards the values
   * of these columns lie in another order.
   * @throws RangeError unless 0 ≤ from < to ≤ count and the columns lie within the rows
   */
  orderStatisticMean(range: OrderRange, start: number, target: Float32Array): void;
  /** Gives the memory back. Idempotent; every other call afterwards is a TypeError. */
  release(): void;
}

/** Which of the sorted values count. */
export interface OrderRange {
  /** Index of the first, 0 for the smallest. */
  readonly from: number;
  /** Index after the last. */
  readonly to: number;
}

/** Floats whose products are added in float32 before their total goes to float64. */
export const PRODUCT_FLOATS = 1024;

/** @throws RangeError when such rows cannot be */
export function requireRows(count: number, length: number): void {
  const isWhole = Number.isSafeInteger(count) && Number.isSafeInteger(length);
  if (!isWhole || count < 1 || length < 1 || length > LONGEST_ROW) {
    throw new RangeError(`rows are 1 or more, of 1 to ${LONGEST_ROW} floats; got ${count} of ${length}`);
  }
}

/** @throws RangeError when the range is empty or beyond the rows */
export function requireOrder({ from, to }: OrderRange, count: number): void {
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to && to <= count)) {
    throw new RangeError(`order statistics ${from} to ${to} of ${count} values`);
  }
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
