import { KernelMemory } from "./kernel-memory.ts";
import { type Accumulator, type Kernels, requireRange } from "./kernels.ts";
import { WasmRows } from "./wasm-rows.ts";
import { webAssembly } from "./web-assembly.ts";

/**
 * The kernels in WebAssembly with 128-bit SIMD, over one memory that all accumulators share. Values are copied through
 * a stage of 64 KiB that stays in the cache, so their alignment does not matter.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids WebAssembly; TypeError where there is none
 */
export function wasmKernels(): Kernels {
  const platform = webAssembly();
  if (platform === undefined) throw new TypeError("this platform has no WebAssembly");
  const memory = new KernelMemory(platform);
  return {
    implementation: "wasm",
    accumulator: (length) => new WasmAccumulator(memory, length),
    sumOfSquares: (values) => memory.sumOfSquares(values),
    rows: (count, length) => new WasmRows(memory, count, length),
  };
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
