import type { Bytes } from "../bytes/index.ts";
import type { StoredBlob } from "../job/index.ts";
import { type BlobFrames, ChunkSet, ciphertextPlan, missingFrames } from "../stream/index.ts";

/** What a reader is sent of a blob. */
export interface LackingFrames {
  /** In order; none when the reader has all of it. */
  readonly frames: BlobFrames;
  /** Bytes of their ciphertext. */
  readonly byteLength: number;
}

/**
 * The frames of a blob that a reader lacks by its own words, which decide nothing else.
 * @param bitmap of the chunks that it has; one that is not of this blob counts for nothing
 */
export function lackingFrames(blob: StoredBlob, bitmap: Bytes | undefined): LackingFrames {
  const frames = blob.frames();
  const plan = ciphertextPlan(blob.description);
  // [W-191] [W-194]
  if (bitmap === undefined || !ChunkSet.isBitmapOf(plan, bitmap)) {
    return { frames, byteLength: blob.ciphertextBytes };
  }
  const received = ChunkSet.fromBitmap(plan, bitmap);
  return {
    frames: missingFrames(frames, received),
    byteLength: blob.ciphertextBytes - received.byteLength,
  };
}
