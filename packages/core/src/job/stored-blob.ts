import { type Bytes, toHex } from "../bytes/index.ts";
import {
  type BlobDescription,
  type BlobFrames,
  blobHeader,
  chunkCount,
  chunkLength,
  ciphertextPlan,
} from "../stream/index.ts";
import { FRAME_KIND, writeFrame } from "../wire/index.ts";
import type { FrameCache, FrameGroup } from "./frame-cache.ts";

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
/** Room for what a BLOB frame has before its chunk: 12 bytes of prefix, at most 45 of header. */
const BEFORE_CHUNK_BYTES = 64;

/** Where ciphertext comes from. @throws when it is not there any more */
export type ReadCiphertext = (
  range: { readonly offset: number; readonly length: number },
  target?: Bytes,
) => Promise<Bytes>;

/**
 * The frames of a blob over its ciphertext in storage, read 512 KiB at a time, whatever the size of the blob; readers
 * who are about as far share what was read.
 */
export class StoredFrames {
  readonly #description: BlobDescription;
  readonly #read: ReadCiphertext;
  readonly #cache: FrameCache;
  readonly #name: string;
  readonly #framesPerRead: number;
  /** Takes the ciphertext of one read, unless another one uses it. */
  #ciphertext: Bytes | undefined;

  constructor(description: BlobDescription, { read, cache }: StoredFramesModules) {
    this.#description = description;
    this.#read = read;
    this.#cache = cache;
    this.#name = toHex(description.root);
    this.#framesPerRead = Math.max(1, Math.floor(READ_BYTES / description.chunkBytes));
  }

  /** The frames for one reader. `at` throws JobError `ERR_CHECKPOINT_UNREADABLE` when the blob was deleted meanwhile. */
  reader(): BlobFrames {
    const out = new Map<number, FrameGroup>();
    return {
      length: chunkCount(this.#description),
      at: async (index) => {
        const group = this.#take(index);
        out.set(index, group);
        return (await group.frames)[index % this.#framesPerRead];
      },
      release: (index) => {
        const group = out.get(index);
        if (out.delete(index) && group !== undefined) this.#cache.release(group);
      },
    };
  }

  /** The chunks of ciphertext in order; their memory is not used again, for nobody tells when it was sent. */
  async *chunks(): AsyncGenerator<Bytes, void, undefined> {
    const plan = ciphertextPlan(this.#description);
    for (let index = 0; index < chunkCount(this.#description); index++) {
      const frame = (await this.#take(index).frames)[index % this.#framesPerRead];
      if (frame === undefined) return;
      yield frame.subarray(frame.byteLength - chunkLength(plan, index));
    }
  }

  /** The group of a chunk. */
  #take(index: number): FrameGroup {
    const number = Math.floor(index / this.#framesPerRead);
    const { chunkBytes } = ciphertextPlan(this.#description);
    const byteLength = this.#framesPerRead * (BEFORE_CHUNK_BYTES + chunkBytes);
    return this.#cache.take(`${this.#name}/${number}`, byteLength, (memory) =>
      this.#readInto(memory, number * this.#framesPerRead),
    );
  }

  /** The frames from `first` on that one read brings. */
  async #readInto(memory: Bytes, first: number): Promise<readonly Bytes[]> {
    const { root } = this.#description;
    const plan = ciphertextPlan(this.#description);
    const { chunkBytes } = plan;
    const offset = first * chunkBytes;
    const length = Math.min(this.#framesPerRead * chunkBytes, plan.totalBytes - offset);
    const target = this.#ciphertext ?? new Uint8Array(length);
    this.#ciphertext = undefined;
    const ciphertext = await this.#read({ offset, length }, target);
    const frames = Array.from({ length: chunkCount({ chunkBytes, totalBytes: length }) }, (_, index) => {
      const payload = ciphertext.subarray(index * chunkBytes, (index + 1) * chunkBytes);
      const header = blobHeader(root, first + index, payload.byteLength);
      const place = memory.subarray(index * (BEFORE_CHUNK_BYTES + chunkBytes));
      return writeFrame(FRAME_KIND.blob, { header, payload }, place);
    });
    this.#ciphertext = target;
    return frames;
  }
}

interface StoredFramesModules {
  readonly read: ReadCiphertext;
  readonly cache: FrameCache;
}
