import type { Bytes } from "../bytes/index.ts";
import { KernelMemories } from "./kernel-memories.ts";
import type { Lent } from "./kernel-memory.ts";
import { type Accumulator, type KernelBuffer, type Kernels, requireRange } from "./kernels.ts";
import { WasmRows } from "./wasm-rows.ts";
import { webAssembly } from "./web-assembly.ts";

/**
 * The kernels in WebAssembly with 128-bit SIMD. Values that lie in the memory of an accumulator, as those of buffers mostly
 * do, are added from where they are; others are copied through a stage of 64 KiB that stays in the cache.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids WebAssembly; TypeError where there is none
 */
export function wasmKernels(): Kernels {
  const platform = webAssembly();
  if (platform === undefined) throw new TypeError("this platform has no WebAssembly");
  const memories = new KernelMemories(platform);
  return {
    implementation: "wasm",
    accumulator: (length) => new WasmAccumulator(memories, length),
    sumOfSquares: (values) => memories.of(values).sumOfSquares(values),
    rows: (count, length) => new WasmRows(memories, count, length),
    buffer: (byteLength) => new WasmBuffer(memories, byteLength),
  };
}

class WasmBuffer implements KernelBuffer {
  readonly bytes: Bytes;
  readonly #memories: KernelMemories;
  #lent: Lent | undefined;

  constructor(memories: KernelMemories, byteLength: number) {
    this.#memories = memories;
    this.#lent = memories.lend(byteLength);
    this.bytes = this.#lent.memory.bytes(this.#lent.address, byteLength);
  }

  release(): void {
    if (this.#lent !== undefined) this.#memories.giveBack(this.#lent, this.bytes.byteLength);
    this.#lent = undefined;
  }
}

class WasmAccumulator implements Accumulator {
  readonly length: number;
  readonly #memories: KernelMemories;
  #lent: Lent | undefined;

  constructor(memories: KernelMemories, length: number) {
    this.length = length;
    this.#memories = memories;
    this.#lent = memories.lend(4 * length);
    this.#floats(0, length).fill(0);
  }

  addScaled(offset: number, values: Float32Array, weight: number): void {
    const { memory, address } = this.#live();
    requireRange(this.length, offset, values.length);
    memory.addScaled(address + 4 * offset, values, weight);
  }

  read(offset: number, target: Float32Array): void {
    this.#live();
    requireRange(this.length, offset, target.length);
    target.set(this.#floats(offset, target.length));
  }

  release(): void {
    if (this.#lent !== undefined) this.#memories.giveBack(this.#lent, 4 * this.length);
    this.#lent = undefined;
  }

  #floats(offset: number, length: number): Float32Array {
    const { memory, address } = this.#live();
    return memory.floats(address + 4 * offset, length);
  }

  #live(): Lent {
    if (this.#lent === undefined) throw new TypeError("the accumulator was released");
    return this.#lent;
  }
}
