import { kernelModule, PAGE_BYTES, STAGE_FLOATS } from "./kernel-module.ts";
import { type Accumulator, type Kernels, requireRange } from "./kernels.ts";
import { PagePool } from "./page-pool.ts";
import { type WasmMemory, webAssembly } from "./web-assembly.ts";

/** What the module exports; the types are those of kernel-module.ts. */
interface KernelExports {
  readonly memory: WasmMemory;
  addScaled(accumulator: number, values: number, bytes: number, weight: number): void;
  sumOfSquares(values: number, bytes: number): number;
}

/**
 * The kernels in WebAssembly with 128-bit SIMD, over one memory that all accumulators share. Values are copied through
 * a stage of 64 KiB that stays in the cache, so their alignment does not matter.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids WebAssembly; TypeError where there is none
 */
export function wasmKernels(): Kernels {
  const platform = webAssembly();
  if (platform === undefined) throw new TypeError("this platform has no WebAssembly");
  const { exports } = new platform.Instance(new platform.Module(kernelModule()));
  const memory = new KernelMemory(exports as KernelExports); // as kernel-module.ts writes them
  return {
    implementation: "wasm",
    accumulator: (length) => new WasmAccumulator(memory, length),
    sumOfSquares: (values) => memory.sumOfSquares(values),
  };
}

class KernelMemory {
  readonly #exports: KernelExports;
  readonly #pages: PagePool;

  constructor(exports: KernelExports) {
    this.#exports = exports;
    this.#pages = new PagePool((count) => exports.memory.grow(count)); // throws RangeError beyond 4 GiB
  }

  /** @returns address of `bytes` zeroed bytes */
  lend(bytes: number): number {
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    const address = this.#pages.lend(pages) * PAGE_BYTES;
    new Uint8Array(this.#exports.memory.buffer, address, pages * PAGE_BYTES).fill(0); // it may have been lent before
    return address;
  }

  giveBack(address: number, bytes: number): void {
    this.#pages.giveBack(address / PAGE_BYTES, Math.max(1, Math.ceil(bytes / PAGE_BYTES)));
  }

  /** A view that the next `lend` may detach. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, address, length);
  }

  addScaled(address: number, values: Float32Array, weight: number): void {
    this.#byStage(values, (start, bytes) => this.#exports.addScaled(address + 4 * start, 0, bytes, weight));
  }

  sumOfSquares(values: Float32Array): number {
    let total = 0;
    this.#byStage(values, (_, bytes) => {
      total += this.#exports.sumOfSquares(0, bytes);
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

class WasmAccumulator implements Accumulator {
  readonly length: number;
  readonly #memory: KernelMemory;
  #address: number | undefined;

  constructor(memory: KernelMemory, length: number) {
    this.length = length;
    this.#memory = memory;
    this.#address = memory.lend(4 * length);
  }

  addScaled(offset: number, values: Float32Array, weight: number): void {
    const address = this.#live();
    requireRange(this.length, offset, values.length);
    this.#memory.addScaled(address + 4 * offset, values, weight);
  }

  read(offset: number, target: Float32Array): void {
    const address = this.#live();
    requireRange(this.length, offset, target.length);
    target.set(this.#memory.floats(address + 4 * offset, target.length));
  }

  release(): void {
    if (this.#address === undefined) return;
    this.#memory.giveBack(this.#address, 4 * this.length);
    this.#address = undefined;
  }

  #live(): number {
    if (this.#address === undefined) throw new TypeError("the accumulator was released");
    return this.#address;
  }
}
