import type { ChunkSet } from "./chunk-set.ts";
import type { BlobFrames } from "./contract.ts";

/**
 * The frames of a blob for a reader who has the chunks in `received` from an earlier session: the others, in order.
 * @param received of the same blob; read once, here
 */
export function missingFrames(frames: BlobFrames, received: ChunkSet): BlobFrames {
  const indices = Array.from({ length: frames.length }, (_, index) => index).filter(
    (index) => !received.has(index),
  );
  return {
    length: indices.length,
    at(position) {
      const index = indices[position];
      return index === undefined ? undefined : frames.at(index);
    },
    release(position) {
      const index = indices[position];
      if (index !== undefined) frames.release?.(index);
    },
  };
}
