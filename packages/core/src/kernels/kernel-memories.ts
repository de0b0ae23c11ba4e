import { KernelMemory, type Lent } from "./kernel-memory.ts";
import { kernelModule, PAGE_BYTES } from "./kernel-module.ts";
import type { WebAssemblyInterface } from "./web-assembly.ts";

/** Pages that a memory has to lend at least: 16 MiB. */
const LEAST_PAGES = 256;

/** Pages beside the stage that a memory of 4 GiB has. */
const MOST_PAGES = 65_535;

/** An accumulator and two updates as large as it: what lies in one memory is added without being copied. */
const PIECES = 3;

/** The memories of the kernels: one more when none has room, one less when nothing of it is lent. */
export class KernelMemories {
  readonly #platform: WebAssemblyInterface;
  readonly #module: object;
  readonly #memories = new Set<KernelMemory>();

  /** @throws WebAssembly.CompileError where SIMD is missing or the page forbids WebAssembly */
  constructor(platform: WebAssemblyInterface) {
    this.#platform = platform;
    this.#module = new platform.Module(kernelModule());
  }

  /** @returns `bytes` bytes, in which anything may be. @throws RangeError when the platform has no memory for them */
  lend(bytes: number): Lent {
    for (const memory of this.#memories) {
      const address = memory.lend(bytes);
      if (address !== undefined) return { memory, address };
    }
    const memory = this.#add(Math.ceil(bytes / PAGE_BYTES));
    const address = memory.lend(bytes);
    if (address === undefined) throw new RangeError(`${bytes} bytes are more than a memory has`);
    return { memory, address };
  }

  /** Takes back what {@link lend} gave. */
  giveBack({ memory, address }: Lent, bytes: number): void {
    memory.giveBack(address, bytes);
    if (memory.isIdle) this.#memories.delete(memory);
  }

  /** The memory in which these values lie, else any. */
  of(values: Float32Array): KernelMemory {
    const [any] = this.#memories;
    for (const memory of this.#memories) if (memory.holds(values)) return memory;
    return any ?? this.#add(1);
  }

  #add(pages: number): KernelMemory {
    const memory = this.#make(pages);
    this.#memories.add(memory);
    return memory;
  }

  #make(pages: number): KernelMemory {
    if (pages > MOST_PAGES) throw new RangeError(`${pages} pages are more than a memory has`);
    const parts = { platform: this.#platform, module: this.#module };
    const roomy = Math.min(MOST_PAGES, Math.max(LEAST_PAGES, PIECES * pages));
    try {
      return new KernelMemory({ ...parts, pages: roomy });
    } catch (error) {
      // A page, or a machine that promises no more than it has.
      if (!(error instanceof RangeError) || roomy === pages) throw error;
      return new KernelMemory({ ...parts, pages });
    }
  }
}
