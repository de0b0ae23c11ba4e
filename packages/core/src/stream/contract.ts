import type { Bytes } from "../bytes/index.ts";
import type { Awaitable } from "../platform/index.ts";
import type { ChunkSet } from "./chunk-set.ts";

/** What a signed message says of the chunks that follow it (protocol section 5). */
export interface StreamManifest {
  /** 16 random bytes; only routes chunks. */
  readonly streamId: Bytes;
  /** Bytes of every chunk but the last: 65 536 to 1 048 576. */
  readonly chunkBytes: number;
  /** Bytes altogether. */
  readonly totalBytes: number;
  /** SHA-256 of each chunk's data, concatenated: 32 bytes each. */
  readonly leaves: Bytes;
  /** SHA-256(S("stream", chunkSize u32 ‖ count u32 ‖ total u64 ‖ leaves)): content address of the bytes. */
  readonly root: Bytes;
}

/** Where the chunks of a stream come from. */
export interface StreamSource {
  /** Bytes `offset` to `offset + length`; a view that is not changed until the chunk was sent. */
  read(offset: number, length: number): Bytes | Promise<Bytes>;
}

/** Where verified chunks go. Only chunks that match their leaf arrive, in any order. */
export interface StreamSink {
  /** `data` may be kept until the promise settles; copy it to keep it longer. */
  write(offset: number, data: Bytes): void | Promise<void>;
  /** Chunks that it holds from an earlier session: they are not asked for. Absent: none. */
  readonly received?: ChunkSet;
}

/** The BLOB frames of a sealed blob in order: in memory (an array is one), or read from storage when they are sent. */
export interface BlobFrames {
  /** How many there are. */
  readonly length: number;
  /** One of them; the same bytes each time. */
  at(index: number): Awaitable<Bytes | undefined>;
  /** A frame that {@link at} gave has left: its memory may be used again. */
  release?(index: number): void;
}

/** A byte string encrypted once for many readers (protocol section 5, sealed blobs). */
export interface SealedBlob {
  /** Root over the leaves of the ciphertext chunks: the name under which it travels. */
  readonly root: Bytes;
  /** 16 random bytes that every chunk is bound to; published beside the root. */
  readonly blobId: Bytes;
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** Ciphertext chunks, each chunkBytes + 16-byte tag but the last; views into `frames`. */
  readonly chunks: readonly Bytes[];
  /** The BLOB frames as they go to every socket, made once. */
  readonly frames: readonly Bytes[];
  /** SHA-256 of each ciphertext chunk, concatenated. */
  readonly leaves: Bytes;
  /** Plaintext bytes altogether. */
  readonly totalBytes: number;
}

/** One BLOB frame as it arrived, not verified yet. */
export interface BlobChunk {
  /** Root of the blob: 32 bytes. */
  readonly root: Bytes;
  /** 0, 1, 2, ... */
  readonly index: number;
  /** View into the frame; copy it to keep it. */
  readonly ciphertext: Bytes;
}
