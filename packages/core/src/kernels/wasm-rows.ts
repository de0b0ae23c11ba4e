import type { KernelMemories } from "./kernel-memories.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import {
  type OrderRange,
  PRODUCT_FLOATS,
  type Rows,
  requireOrder,
  requireRange,
  requireRows,
} from "./kernels.ts";
import { MOST_NETWORK_ROWS, networkModule } from "./network-module.ts";
import { TILE } from "./row-functions.ts";
import { sortingNetwork } from "./sorting-network.ts";

/** Writes sums of sorted columns: what {@link networkModule} exports, or the loop for more rows than that. */
type OrderSum = (column: number, bytes: number, out: number) => void;

/** The rows in the memory of the kernels; beside them lies the stage, where results are written. */
export class WasmRows implements Rows {
  readonly count: number;
  readonly length: number;
  readonly #memories: KernelMemories;
  readonly #memory: KernelMemory;
  readonly #stride: number;
  readonly #bytes: number;
  readonly #orderSums = new Map<string, OrderSum>();
  #address: number | undefined;

  constructor(memories: KernelMemories, count: number, length: number) {
    requireRows(count, length);
    this.count = count;
    this.length = length;
    this.#memories = memories;
    this.#stride = 16 * Math.ceil(length / 4);
    this.#bytes = this.#stride * TILE * Math.ceil(count / TILE); // whole tiles: rows of zeros fill the last one
    const { memory, address } = memories.lend(this.#bytes);
    this.#memory = memory;
    this.#address = address;
    memory.bytes(address, this.#bytes).fill(0);
  }

  write(row: number, values: Float32Array): void {
    requireRange(this.count, row, 1);
    requireRange(this.length, 0, values.length);
    const target = this.#memory.floats(this.#rowAt(row), this.#stride / 4);
    target.set(values);
    target.fill(0, values.length);
  }

  subtract(values: Float32Array): void {
    requireRange(values.length, 0, this.length);
    const part = values.subarray(0, this.length);
    for (let row = 0; row < this.count; row++) this.#memory.addScaled(this.#rowAt(row), part, -1);
  }

  combine(coefficients: Float32Array, target: Float32Array): void {
    requireRange(this.length, 0, target.length);
    const { stage, exports } = this.#memory;
    stage(target.length).fill(0);
    for (let row = 0; row < this.count; row++) {
      const coefficient = coefficients[row] ?? 0;
      if (coefficient !== 0) exports.addScaled(0, this.#rowAt(row), 4 * target.length, coefficient);
    }
    target.set(stage(target.length));
  }

  addProducts(first: number, gram: Float64Array): void {
    requireRange(this.count, first, 1);
    for (let other = 0; other <= first; other += TILE) {
      for (let start = 0; start < this.#stride; start += 4 * PRODUCT_FLOATS) {
        const bytes = Math.min(4 * PRODUCT_FLOATS, this.#stride - start);
        const [left, right] = [this.#rowAt(first) + start, this.#rowAt(other) + start];
        this.#memory.exports.products(left, right, this.#stride, bytes, 0);
        this.#addTile(first, other, gram);
      }
    }
  }

  orderStatisticMean(range: OrderRange, start: number, target: Float32Array): void {
    requireOrder(range, this.count);
    requireRange(this.length, start, target.length);
    this.#orderSum(range)(this.#rowAt(0) + 4 * start, 4 * target.length, 0);
    const sums = this.#memory.stage(target.length);
    const count = range.to - range.from;
    // Adding zero makes no difference but to −0, which a sum that began with zero cannot be.
    for (let index = 0; index < target.length; index++) target[index] = (0 + (sums[index] ?? 0)) / count;
  }

  release(): void {
    if (this.#address === undefined) return;
    this.#memories.giveBack({ memory: this.#memory, address: this.#address }, this.#bytes);
    this.#address = undefined;
    this.#orderSums.clear();
  }

  #rowAt(row: number): number {
    if (this.#address === undefined) throw new TypeError("the rows were released");
    return this.#address + row * this.#stride;
  }

  #addTile(first: number, other: number, gram: Float64Array): void {
    const lanes = this.#memory.stage(4 * TILE * TILE);
    const lane = (cell: number, index: number): number => lanes[4 * cell + index] ?? 0;
    for (let i = 0; i < TILE && first + i < this.count; i++) {
      for (let j = 0; j < TILE && other + j < this.count; j++) {
        const from = TILE * i + j;
        const cell = (first + i) * this.count + other + j;
        const total = lane(from, 0) + lane(from, 1) + (lane(from, 2) + lane(from, 3));
        gram[cell] = (gram[cell] ?? 0) + total;
      }
    }
  }

  #orderSum(range: OrderRange): OrderSum {
    const key = `${range.from}-${range.to}`;
    const known = this.#orderSums.get(key);
    if (known !== undefined) return known;
    const made = this.count <= MOST_NETWORK_ROWS ? this.#network(range) : this.#loop(range);
    this.#orderSums.set(key, made);
    return made;
  }

  #network(range: OrderRange): OrderSum {
    const exports = this.#memory.instantiate(networkModule(this.count, this.#stride, range));
    const { orderSum } = exports as { readonly orderSum: OrderSum }; // as network-module.ts writes it
    return (column, bytes, out) => orderSum(column, 16 * Math.ceil(bytes / 16), out);
  }

  #loop({ from, to }: OrderRange): OrderSum {
    const network = sortingNetwork(this.count, from, to);
    const { exports, stage } = this.#memory;
    return (column, bytes) => {
      const whole = 16 * Math.ceil(bytes / 16);
      const at = (row: number): number => column + row * this.#stride;
      for (const { low, high } of network) exports.compareExchange(at(low), at(high), whole);
      stage(bytes / 4).fill(0);
      for (let row = from; row < to; row++) exports.addScaled(0, at(row), bytes, 1);
    };
  }
}
