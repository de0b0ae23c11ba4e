import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { PositionalReader, PositionalValue } from "../decomposer/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";

/** Payload encoded by the decomposers; the only codec of version 1. */
export const CODEC_DECOMPOSER = 1;
const NOT_COMPRESSED = 0;

/** What a signed header says of its payload: `[codec, compression, length, rawLength, digest, chunkSize]`. */
export interface PayloadDescriptor {
  /** 1: MessagePack with decomposers. */
  readonly codec: number;
  /** 0: none; no other exists in version 1. */
  readonly compression: number;
  /** Bytes in the frame. */
  readonly length: number;
  /** Bytes after decompression. */
  readonly rawLength: number;
  /** SHA-256 of the payload. */
  readonly digest: Bytes;
  /** 0: the payload is in this frame. */
  readonly chunkSize: number;
}

/** The descriptor of a payload that travels in its frame. One hash. */
export async function describePayload(payload: Bytes, crypto: CryptoProvider): Promise<PayloadDescriptor> {
  const length = payload.byteLength;
  return {
    codec: CODEC_DECOMPOSER,
    compression: NOT_COMPRESSED,
    length,
    rawLength: length,
    digest: await crypto.sha256(payload),
    chunkSize: 0,
  };
}

/** As it stands in a header. */
export function payloadPositions(payload: PayloadDescriptor): readonly PositionalValue[] {
  const { codec, compression, length, rawLength, digest, chunkSize } = payload;
  return [codec, compression, length, rawLength, digest, chunkSize];
}

/** Reads the descriptor at the next position. */
export function readPayloadPositions(reader: PositionalReader): PayloadDescriptor {
  return reader.tuple(() => ({
    codec: reader.uint(0xff),
    compression: reader.uint(0xff),
    length: reader.uint(),
    rawLength: reader.uint(),
    digest: reader.bin(32),
    chunkSize: reader.uint(0xffff_ffff),
  }));
}

/** @throws EnvelopeError `ERR_DIGEST_MISMATCH` unless `payload` is what was signed */
export async function requirePayload(
  described: PayloadDescriptor,
  payload: Bytes,
  crypto: CryptoProvider,
): Promise<void> {
  // [W-49]
  const plain =
    described.codec === CODEC_DECOMPOSER &&
    described.compression === NOT_COMPRESSED &&
    described.chunkSize === 0;
  if (!plain || described.length !== payload.byteLength || described.rawLength !== payload.byteLength) {
    throw new EnvelopeError(
      "ERR_DIGEST_MISMATCH",
      "the payload is not of the length or form that was signed",
    );
  }
  // [W-50]
  if (!equalBytes(described.digest, await crypto.sha256(payload))) {
    throw new EnvelopeError("ERR_DIGEST_MISMATCH", "the payload is not the one that was signed");
  }
}
