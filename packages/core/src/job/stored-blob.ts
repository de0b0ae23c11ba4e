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
  /** The BLOB frames, read when they are sent. */
  readonly frames: BlobFrames;
  /** Bytes of the ciphertext. */
  readonly ciphertextBytes: number;
  /** The ciphertext in order, for carriers beside the session. */
  read(): AsyncIterable<Bytes>;
}

/** Bytes that one read brings at least, and that are read ahead: 1 MiB. */
const READ_BYTES = 1_048_576;
/** Reads that are kept for other sites that are just as far: 4 MiB. */
const KEPT_READS = 4;

/** Where ciphertext comes from. @throws when it is not there any more */
export type ReadCiphertext = (offset: number, length: number) => Promise<Bytes>;

/**
 * The frames of a blob over its ciphertext in storage. A few MiB are in memory, whatever the size of the blob and the
 * number of its readers: those that are equally far share a read.
 */
export class StoredFrames implements BlobFrames {
  readonly #description: BlobDescription;
  readonly #read: ReadCiphertext;
  readonly #framesPerRead: number;
  /** Frames of one read by its number, the least used first. */
  readonly #kept = new Map<number, Promise<readonly Bytes[]>>();

  constructor(description: BlobDescription, read: ReadCiphertext) {
    this.#description = description;
    this.#read = read;
    this.#framesPerRead = Math.max(1, Math.floor(READ_BYTES / description.chunkBytes));
  }

  get length(): number {
    return chunkCount(this.#description);
  }

  /** @throws JobError `ERR_CHECKPOINT_UNREADABLE` when the blob was deleted meanwhile */
  async at(index: number): Promise<Bytes | undefined> {
    const number = Math.floor(index / this.#framesPerRead);
    const frames = await this.#group(number);
    if ((number + 1) * this.#framesPerRead < this.length) {
      this.#group(number + 1).catch(() => undefined); // whoever needs it hears of it
    }
    return frames[index % this.#framesPerRead];
  }

  /** The chunks of ciphertext in order. */
  async *chunks(): AsyncGenerator<Bytes, void, undefined> {
    const plan = ciphertextPlan(this.#description);
    for (let index = 0; index < this.length; index++) {
      const frame = await this.at(index);
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
    const lengths = Array.from({ length: Math.min(this.#framesPerRead, this.length - first) }, (_, index) =>
      chunkLength(plan, first + index),
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const ciphertext = await this.#read(first * plan.chunkBytes, total);
    return lengths.map((length, index) => {
      const start = index * plan.chunkBytes;
      const payload = ciphertext.subarray(start, start + length);
      return writeFrame(FRAME_KIND.blob, { header: blobHeader(root, first + index, length), payload });
    });
  }
}
