import { type Bytes, concatBytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { FRAME_KIND, type Frame, prefixOf, writeFrame } from "../wire/index.ts";
import type { BlobChunk } from "./contract.ts";

const U32_MAX = 0xffff_ffff;

/** One piece of a stream as it travels. */
export interface StreamChunk {
  /** 16 bytes. */
  readonly streamId: Bytes;
  /** 0, 1, 2, ... */
  readonly index: number;
  /** View into the frame. */
  readonly data: Bytes;
}

/** CHUNK (kind 7): `[streamId bin16, index u32, length u32]`, then the data. */
export function writeChunk(chunk: StreamChunk): Bytes {
  return concatBytes(...chunkParts(chunk));
}

/** A CHUNK frame in two parts: what stands before the data, and the data itself, not copied. */
export function chunkParts({ streamId, index, data }: StreamChunk): readonly [head: Bytes, data: Bytes] {
  const header = writePositional([streamId, index, data.byteLength]);
  const lengths = { header: header.byteLength, tag: 0, payload: data.byteLength };
  return [concatBytes(prefixOf(FRAME_KIND.chunk, lengths), header), data];
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, EnvelopeError `ERR_STREAM_REFUSED` when the length is another */
export function readChunk(frame: Frame): StreamChunk {
  const { length, ...chunk } = readPositional(frame.header, (reader) => ({
    streamId: reader.bin(16),
    index: reader.uint(U32_MAX),
    length: reader.uint(U32_MAX),
  }));
  // [W-74]
  requireLength(frame, length);
  return { ...chunk, data: frame.payload };
}

/** CREDIT (kind 11): `[streamId bin16, bytes u53]`: the receiver takes so many bytes more. */
export function writeCredit(streamId: Bytes, bytes: number): Bytes {
  return writeFrame(FRAME_KIND.credit, { header: writePositional([streamId, bytes]) });
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, EnvelopeError `ERR_STREAM_REFUSED` when there is a payload */
export function readCredit(frame: Frame): { readonly streamId: Bytes; readonly bytes: number } {
  requireLength(frame, 0);
  return readPositional(frame.header, (reader) => ({
    streamId: reader.bin(16),
    bytes: reader.uint(Number.MAX_SAFE_INTEGER, 1),
  }));
}

/** Header of a BLOB frame: `[root bin32, index u32, length u32]`. */
export function blobHeader(root: Bytes, index: number, length: number): Bytes {
  return writePositional([root, index, length]);
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, EnvelopeError `ERR_STREAM_REFUSED` when the length is another */
export function readBlobChunk(frame: Frame): BlobChunk {
  const { length, ...chunk } = readPositional(frame.header, (reader) => ({
    root: reader.bin(32),
    index: reader.uint(U32_MAX),
    length: reader.uint(U32_MAX),
  }));
  // [W-74]
  requireLength(frame, length);
  return { ...chunk, ciphertext: frame.payload };
}

function requireLength(frame: Frame, length: number): void {
  if (frame.payload.byteLength !== length || frame.tag.byteLength !== 0) {
    throw new EnvelopeError("ERR_STREAM_REFUSED", "the frame does not hold what its header says");
  }
}
