import {
  type OrderRange,
  PRODUCT_FLOATS,
  type Rows,
  requireOrder,
  requireRange,
  requireRows,
} from "./kernels.ts";
import { TILE } from "./row-functions.ts";
import { sortingNetwork } from "./sorting-network.ts";

/** The rows without WebAssembly: same bits, many times slower. */
export class JavascriptRows implements Rows {
  readonly count: number;
  readonly length: number;
  #rows: readonly Float32Array[] | undefined;

  constructor(count: number, length: number) {
    requireRows(count, length);
    this.count = count;
    this.length = length;
    this.#rows = Array.from({ length: count }, () => new Float32Array(length));
  }

  write(row: number, values: Float32Array): void {
    requireRange(this.count, row, 1);
    requireRange(this.length, 0, values.length);
    const target = this.#live()[row];
    target?.set(values);
    target?.fill(0, values.length);
  }

  subtract(values: Float32Array): void {
    requireRange(values.length, 0, this.length);
    for (const row of this.#live()) {
      for (let index = 0; index < row.length; index++) row[index] = at(row, index) - at(values, index);
    }
  }

  combine(coefficients: Float32Array, target: Float32Array): void {
    requireRange(this.length, 0, target.length);
    target.fill(0);
    for (const [k, row] of this.#live().entries()) {
      const coefficient = at(coefficients, k);
      if (coefficient === 0) continue;
      for (let index = 0; index < target.length; index++) {
        target[index] = at(target, index) + Math.fround(coefficient * at(row, index));
      }
    }
  }

  addProducts(first: number, gram: Float64Array): void {
    const rows = this.#live();
    requireRange(this.count, first, 1);
    for (let k = first; k < Math.min(first + TILE, this.count); k++) {
      for (let j = 0; j < Math.min(first + TILE, this.count); j++) {
        const cell = k * this.count + j;
        gram[cell] = (gram[cell] ?? 0) + product(rows[k] ?? NONE, rows[j] ?? NONE);
      }
    }
  }

  orderStatisticMean(range: OrderRange, start: number, target: Float32Array): void {
    const rows = this.#live();
    requireOrder(range, this.count);
    requireRange(this.length, start, target.length);
    const network = sortingNetwork(this.count, range.from, range.to);
    const column = new Float32Array(this.count);
    for (let index = 0; index < target.length; index++) {
      for (const [k, row] of rows.entries()) column[k] = at(row, start + index);
      for (const { low, high } of network) {
        const [a, b] = [at(column, low), at(column, high)];
        column[low] = Math.min(b, a);
        column[high] = Math.max(a, b);
      }
      let sum = 0;
      for (let k = range.from; k < range.to; k++) sum = Math.fround(sum + at(column, k));
      target[index] = sum / (range.to - range.from);
    }
  }

  release(): void {
    this.#rows = undefined;
  }

  #live(): readonly Float32Array[] {
    if (this.#rows === undefined) throw new TypeError("the rows were released");
    return this.#rows;
  }
}

const NONE = new Float32Array(0);

const at = (values: Float32Array, index: number): number => values[index] ?? 0;

/** In the order of row-functions.ts: four lanes of float32 over {@link PRODUCT_FLOATS} floats, then float64. */
function product(left: Float32Array, right: Float32Array): number {
  let total = 0;
  for (let start = 0; start < left.length; start += PRODUCT_FLOATS) {
    const lanes = new Float32Array(TILE);
    const end = Math.min(start + PRODUCT_FLOATS, left.length);
    for (let index = start; index < end; index++) {
      const lane = (index - start) % TILE;
      lanes[lane] = at(lanes, lane) + Math.fround(at(left, index) * at(right, index));
    }
    total += at(lanes, 0) + at(lanes, 1) + (at(lanes, 2) + at(lanes, 3));
  }
  return total;
}
