import type { Bytes } from "../bytes/index.ts";
import { PAGE_BYTES, STAGE_FLOATS } from "./kernel-module.ts";
import { PagePool } from "./page-pool.ts";
import type { WebAssemblyInterface } from "./web-assembly.ts";

/** What the module exports; the types are those of kernel-module.ts. */
interface KernelExports {
  addScaled(accumulator: number, values: number, bytes: number, weight: number): void;
  sumOfSquares(values: number, bytes: number): number;
  products(left: number, right: number, stride: number, bytes: number, out: number): void;
  compareExchange(low: number, high: number, bytes: number): void;
}

/** What {@link KernelMemory} is made from. */
export interface KernelMemoryParts {
  readonly platform: WebAssemblyInterface;
  /** The compiled kernels. */
  readonly module: object;
  /** Pages that can be lent. */
  readonly pages: number;
}

/** Where a piece of memory lies. */
export interface Lent {
  readonly memory: KernelMemory;
  readonly address: number;
}

const pagesOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / PAGE_BYTES));

/**
 * One memory with an instance of the kernels: a stage of one page at its beginning, then what is lent. It never grows:
 * growing would detach every view of it, and pages that nobody wrote to take no memory of the machine.
 */
export class KernelMemory {
  /** The functions of the module. */
  readonly exports: KernelExports;
  readonly #platform: WebAssemblyInterface;
  readonly #imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly #buffer: ArrayBuffer;
  readonly #pages: PagePool;

  /** @throws RangeError when the platform has no such memory */
  constructor({ platform, module, pages }: KernelMemoryParts) {
    const total = 1 + pages;
    const memory = new platform.Memory({ initial: total, maximum: total });
    this.#platform = platform;
    this.#imports = { kernels: { memory } };
    this.#buffer = memory.buffer;
    this.#pages = new PagePool(1, pages);
    this.exports = new platform.Instance(module, this.#imports).exports as KernelExports; // as kernel-module.ts writes them
  }

  /** Whether nothing of it is lent. */
  get isIdle(): boolean {
    return this.#pages.isIdle;
  }

  /** @returns address of `bytes` bytes, in which whatever was there before still is; `undefined` when there is no room */
  lend(bytes: number): number | undefined {
    const page = this.#pages.lend(pagesOf(bytes));
    return page === undefined ? undefined : page * PAGE_BYTES;
  }

  /** Takes back what {@link lend} gave. */
  giveBack(address: number, bytes: number): void {
    this.#pages.giveBack(address / PAGE_BYTES, pagesOf(bytes));
  }

  /** A view. */
  bytes(address: number, length: number): Bytes {
    return new Uint8Array(this.#buffer, address, length);
  }

  /** A view. */
  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, address, length);
  }

  /** Whether these values lie in this memory. */
  holds(values: Float32Array): boolean {
    return values.buffer === this.#buffer;
  }

  /** The first floats of the stage. */
  readonly stage = (length: number): Float32Array => this.floats(0, length);

  /** What a module exports that uses this memory. */
  instantiate(bytes: Bytes): unknown {
    return new this.#platform.Instance(new this.#platform.Module(bytes), this.#imports).exports;
  }

  /** See {@link Accumulator.addScaled}: to the floats from `address` on. */
  addScaled(address: number, values: Float32Array, weight: number): void {
    this.#byStage(values, ({ start, at, bytes }) =>
      this.exports.addScaled(address + 4 * start, at, bytes, weight),
    );
  }

  /** See {@link Kernels.sumOfSquares}. */
  sumOfSquares(values: Float32Array): number {
    let total = 0;
    this.#byStage(values, ({ at, bytes }) => {
      total += this.exports.sumOfSquares(at, bytes);
    });
    return total;
  }

  /** Part by part: where they lie, when that is in this memory, else copied into the stage. */
  #byStage(values: Float32Array, run: (part: Part) => void): void {
    const isHere = this.holds(values);
    const stage = this.stage(STAGE_FLOATS);
    for (let start = 0; start < values.length; start += STAGE_FLOATS) {
      const length = Math.min(STAGE_FLOATS, values.length - start);
      if (!isHere) stage.set(values.subarray(start, start + length));
      run({ start, at: isHere ? values.byteOffset + 4 * start : 0, bytes: 4 * length });
    }
  }
}

interface Part {
  /** Index of its first float. */
  readonly start: number;
  /** Its address. */
  readonly at: number;
  readonly bytes: number;
}
