import type { Bytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { type ChunkPlan, chunkCount, chunkLength, MAX_CHUNKS } from "./chunks.ts";

/** Longest bitmap: one bit for each chunk of the longest stream. */
export const MAX_BITMAP_BYTES: number = MAX_CHUNKS / 8;

/** Which chunks of one stream are there. */
export class ChunkSet {
  readonly #plan: ChunkPlan;
  readonly #bits: Bytes;
  #count = 0;
  #byteLength = 0;

  /** No chunk yet. */
  constructor(plan: ChunkPlan) {
    this.#plan = plan;
    this.#bits = new Uint8Array(Math.ceil(chunkCount(plan) / 8));
  }

  /**
   * The set that `bitmap()` wrote down.
   * @throws EnvelopeError `ERR_STREAM_REFUSED` unless it is a bitmap of this stream
   */
  static fromBitmap(plan: ChunkPlan, bitmap: Bytes): ChunkSet {
    // [W-120]
    if (!ChunkSet.isBitmapOf(plan, bitmap)) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", "a bitmap has one bit for each chunk, and none beyond");
    }
    const set = new ChunkSet(plan);
    for (let index = 0; index < chunkCount(plan); index++) if (isSet(bitmap, index)) set.add(index);
    return set;
  }

  /** True when `bitmap` has one bit for each chunk of the plan, and none beyond. */
  static isBitmapOf(plan: ChunkPlan, bitmap: Bytes): boolean {
    const count = chunkCount(plan);
    if (bitmap.byteLength !== Math.ceil(count / 8)) return false;
    const unused = 8 * bitmap.byteLength - count;
    return (bitmap.at(-1) ?? 0) >> (8 - unused) === 0;
  }

  /** How many chunks are there. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the chunks that are there. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** True when no chunk is missing. */
  get isComplete(): boolean {
    return this.#count === chunkCount(this.#plan);
  }

  /** True when chunk `index` is there. */
  has(index: number): boolean {
    return isSet(this.#bits, index);
  }

  /** Chunk `index` is there from now on. @throws RangeError when the stream has no such chunk */
  add(index: number): void {
    if (!(index >= 0 && index < chunkCount(this.#plan))) throw new RangeError(`no chunk ${index}`);
    if (this.has(index)) return;
    const byte = index >> 3;
    this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (index & 7));
    this.#count += 1;
    this.#byteLength += chunkLength(this.#plan, index);
  }

  /** One bit for each chunk, the lowest bit of the first byte for chunk 0; unused bits are zero. A copy. */
  bitmap(): Bytes {
    return Uint8Array.from(this.#bits);
  }

  /** The chunks that are there, in order. */
  *indices(): Generator<number, void, undefined> {
    for (let index = 0; index < chunkCount(this.#plan); index++) if (this.has(index)) yield index;
  }
}

function isSet(bits: Bytes, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}
