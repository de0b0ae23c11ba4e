import type { Bytes } from "../bytes/index.ts";
import type { CryptoProvider, SecretKey } from "../platform/index.ts";
import { chunkAssociatedData } from "../stream/index.ts";
import { counterNonce, openApart, sealInto, TAG_BYTES } from "../wire/index.ts";

/** Plaintext bytes of one sealed segment, where the blob is not published. */
export const SEGMENT_BYTES = 262_144;

/** What binds a segment to its blob. */
export interface SegmentSeal {
  readonly key: SecretKey;
  /** 16 random bytes. */
  readonly blobId: Bytes;
  /** Name of the project when the blob is published, else empty. */
  readonly project: string;
  /** Plaintext bytes of every segment but the last. */
  readonly segmentBytes: number;
}

/** An empty blob has one empty segment, so that its end is authenticated too. */
export function segmentCount(size: number, segmentBytes: number): number {
  return Math.max(1, Math.ceil(size / segmentBytes));
}

/**
 * Encrypts a blob segment by segment: AES-256-GCM, nonce = index, AAD = project ‖ blob id ‖ index ‖ final. The key is
 * fresh per blob, so a nonce never repeats under it. All segments come in the same memory, one after another.
 */
export async function* sealSegments(
  plaintext: Bytes,
  seal: SegmentSeal,
  crypto: CryptoProvider,
): AsyncGenerator<Bytes, void, undefined> {
  const { segmentBytes, key } = seal;
  const count = segmentCount(plaintext.byteLength, segmentBytes);
  const memory = new Uint8Array(Math.min(segmentBytes, plaintext.byteLength) + TAG_BYTES);
  for (let index = 0; index < count; index++) {
    const segment = plaintext.subarray(index * segmentBytes, (index + 1) * segmentBytes);
    const aad = segmentAad(seal, index, index === count - 1);
    const end = segment.byteLength;
    const target = { ciphertext: memory.subarray(0, end), tag: memory.subarray(end, end + TAG_BYTES) };
    await sealInto(crypto, key, { iv: counterNonce(index), aad, parts: [segment], ...target });
    yield memory.subarray(0, end + TAG_BYTES);
  }
}

/**
 * @param ciphertext fresh from storage: the plaintext may take its place
 * @returns `undefined` unless it is this segment of this blob
 */
export async function openSegment(
  ciphertext: Bytes,
  seal: SegmentSeal,
  place: { readonly index: number; readonly isFinal: boolean; readonly crypto: CryptoProvider },
): Promise<Bytes | undefined> {
  const { index, isFinal, crypto } = place;
  const end = ciphertext.byteLength - TAG_BYTES;
  if (end < 0) return undefined;
  return await openApart(crypto, seal.key, {
    iv: counterNonce(index),
    aad: segmentAad(seal, index, isFinal),
    ciphertext: ciphertext.subarray(0, end),
    tag: ciphertext.subarray(end),
    inPlace: true,
  });
}

function segmentAad({ project, blobId }: SegmentSeal, index: number, final: boolean): Bytes {
  return chunkAssociatedData(project, blobId, { index, final });
}
