import type { Bytes } from "../bytes/index.ts";
import { kernelModule, PAGE_BYTES, STAGE_FLOATS } from "./kernel-module.ts";
import type { Accumulator, Kernels } from "./kernels.ts";
import { PagePool } from "./page-pool.ts";
import type { WasmMemory, WebAssemblyInterface } from "./web-assembly.ts";

/** What the module exports; the types are those of kernel-module.ts. */
interface KernelExports {
  readonly memory: WasmMemory;
  addScaled(accumulator: number, values: number, bytes: number, weight: number): void;
  sumOfSquares(values: number, bytes: number): number;
  products(left: number, right: number, stride: number, bytes: number, out: number): void;
  compareExchange(low: number, high: number, bytes: number): void;
}

/** The module of the kernels with its memory: a stage of one page at its beginning, then what is lent. */
export class KernelMemory {
  /** The functions of the module. */
  readonly exports: KernelExports;
  readonly #platform: WebAssemblyInterface;
  readonly #pages: PagePool;

  constructor(platform: WebAssemblyInterface) {
    this.#platform = platform;
    const { exports: all } = new platform.Instance(new platform.Module(kernelModule()));
    const exports = all as KernelExports; // as kernel-module.ts writes them
    this.exports = exports;
    this.#pages = new PagePool((count) => exports.memory.grow(count)); // throws RangeError beyond 4 GiB
  }

  /** @returns address of `bytes` zeroed bytes */
  lend(bytes: number): number {
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    const address = this.#pages.lend(pages) * PAGE_BYTES;
    new Uint8Array(this.exports.memory.buffer, address, pages * PAGE_BYTES).fill(0); // it may have been lent before
    return address;
  }

  /** Takes back what {@link lend} gave. */
  giveBack(address: number, bytes: number): void {
    this.#pages.giveBack(address / PAGE_BYTES, Math.max(1, Math.ceil(bytes / PAGE_BYTES)));
  }

  /** A view that the next `lend` may detach. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.exports.memory.buffer, address, length);
  }

  /** The first floats of the stage. */
  readonly stage = (length: number): Float32Array => this.floats(0, length);

  /** What a module exports that uses this memory. */
  instantiate(bytes: Bytes): unknown {
    const { memory } = this.exports;
    return new this.#platform.Instance(new this.#platform.Module(bytes), { kernels: { memory } }).exports;
  }

  /** See {@link Accumulator.addScaled}: to the floats from `address` on. */
  addScaled(address: number, values: Float32Array, weight: number): void {
    this.#byStage(values, (start, bytes) => this.exports.addScaled(address + 4 * start, 0, bytes, weight));
  }

  /** See {@link Kernels.sumOfSquares}. */
  sumOfSquares(values: Float32Array): number {
    let total = 0;
    this.#byStage(values, (_, bytes) => {
      total += this.exports.sumOfSquares(0, bytes);
    });
    return total;
  }

  /** Copies `values` into the stage part by part. */
  #byStage(values: Float32Array, run: (start: number, bytes: number) => void): void {
    const stage = this.floats(0, STAGE_FLOATS);
    for (let start = 0; start < values.length; start += STAGE_FLOATS) {
      const part = values.subarray(start, start + STAGE_FLOATS);
      stage.set(part);
      run(start, 4 * part.length);
    }
  }
}
