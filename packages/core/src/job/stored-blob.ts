import type { Bytes } from "../bytes/index.ts";
import {
  type BlobDescription,
  type BlobFrames,
  blobHeader,
  chunkCount,
  chunkLength,
  ciphertextPlan,
} from "../stream/index.ts";
import { FRAME_KIND, writeFrame } from "../wire/index.ts";

/** A sealed blob that is published as it lies in storage. */
export interface StoredBlob {
  /** What a publication says of it. */
  readonly description: BlobDescription;
  /** Content key: it leaves the server inside sessions only. */
  readonly key: Bytes;
  /** Bytes of the ciphertext. */
  readonly ciphertextBytes: number;
  /** The BLOB frames for one reader, who takes them in order; read when they are sent. */
  frames(): BlobFrames;
  /** The ciphertext in order, for carriers beside the session. */
  read(): AsyncIterable<Bytes>;
}

/** Bytes that one read brings at least: 512 KiB. */
const READ_BYTES = 524_288;
/** Reads that are kept for readers who are a little behind, by what their sockets hold: 4 MiB. */
const KEPT_READS = 8;

/** Where ciphertext comes from. @throws when it is not there any more */
export type ReadCiphertext = (
  range: { readonly offset: number; readonly length: number },
  target?: Bytes,
) => Promise<Bytes>;

/**
 * The frames of a blob over its ciphertext in storage: each reader holds one read of 512 KiB, whatever the size of the
 * blob, and readers who are equally far share it.
 */
export class StoredFrames {
  readonly #description: BlobDescription;
  readonly #read: ReadCiphertext;
  readonly #framesPerRead: number;
  /** Takes the ciphertext of one read, unless another one uses it. */
  #memory: Bytes | undefined;
  /** Frames of one read by its number, the least used first. */
  readonly #kept = new Map<number, Promise<readonly Bytes[]>>();

  constructor(description: BlobDescription, read: ReadCiphertext) {
    this.#description = description;
    this.#read = read;
    this.#framesPerRead = Math.max(1, Math.floor(READ_BYTES / description.chunkBytes));
  }

  /** The frames for one reader. `at` throws JobError `ERR_CHECKPOINT_UNREADABLE` when the blob was deleted meanwhile. */
  reader(): BlobFrames {
    let held: { readonly number: number; readonly frames: Promise<readonly Bytes[]> } | undefined;
    return {
      length: chunkCount(this.#description),
      at: async (index) => {
        const number = Math.floor(index / this.#framesPerRead);
        if (held?.number !== number) held = { number, frames: this.#group(number) };
        return (await held.frames)[index % this.#framesPerRead];
      },
    };
  }

  /** The chunks of ciphertext in order. */
  async *chunks(): AsyncGenerator<Bytes, void, undefined> {
    const plan = ciphertextPlan(this.#description);
    const frames = this.reader();
    for (let index = 0; index < frames.length; index++) {
      const frame = await frames.at(index);
      if (frame === undefined) return;
      yield frame.subarray(frame.byteLength - chunkLength(plan, index));
    }
  }

  #group(number: number): Promise<readonly Bytes[]> {
    const frames = this.#kept.get(number) ?? this.#readGroup(number);
    this.#kept.delete(number);
    this.#kept.set(number, frames);
    const [least] = this.#kept.keys();
    if (this.#kept.size > KEPT_READS && least !== undefined) this.#kept.delete(least);
    return frames;
  }

  async #readGroup(number: number): Promise<readonly Bytes[]> {
    const { root } = this.#description;
    const plan = ciphertextPlan(this.#description);
    const first = number * this.#framesPerRead;
    const count = Math.min(this.#framesPerRead, chunkCount(this.#description) - first);
    const lengths = Array.from({ length: count }, (_, index) => chunkLength(plan, first + index));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const memory = this.#memory ?? new Uint8Array(total);
    this.#memory = undefined;
    const range = { offset: first * plan.chunkBytes, length: total };
    const ciphertext = await this.#read(range, memory);
    const frames = lengths.map((length, index) => {
      const start = index * plan.chunkBytes;
      const payload = ciphertext.subarray(start, start + length);
      return writeFrame(FRAME_KIND.blob, { header: blobHeader(root, first + index, length), payload });
    });
    this.#memory = memory;
    return frames;
  }
}
