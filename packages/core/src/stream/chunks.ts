import type { Bytes } from "../bytes/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { labelled, u32, u64 } from "../wire/index.ts";

/** Smallest chunk of a stream: 64 KiB. */
export const MIN_CHUNK_BYTES = 65_536;
/** Largest chunk of a stream: 1 MiB. */
export const MAX_CHUNK_BYTES = 1_048_576;
/** Chunk size where a job does not say: 256 KiB. */
export const DEFAULT_CHUNK_BYTES = 262_144;
/** Bytes of a leaf: SHA-256. */
export const LEAF_BYTES = 32;
/** Most chunks of one stream: 4 GiB at the default chunk size, 512 KiB of leaves. */
export const MAX_CHUNKS = 16_384;

/** How a string of bytes is cut. */
export interface ChunkPlan {
  /** Bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** Bytes altogether, at least 1. */
  readonly totalBytes: number;
}

/** Number of chunks. */
export function chunkCount({ chunkBytes, totalBytes }: ChunkPlan): number {
  return Math.ceil(totalBytes / chunkBytes);
}

/** Bytes of one chunk. @param index 0 to {@link chunkCount} - 1 */
export function chunkLength({ chunkBytes, totalBytes }: ChunkPlan, index: number): number {
  return Math.min(chunkBytes, totalBytes - index * chunkBytes);
}

/** The leaf of one chunk in the concatenated leaves. */
export function leafOf(leaves: Bytes, index: number): Bytes {
  return leaves.subarray(LEAF_BYTES * index, LEAF_BYTES * (index + 1));
}

/**
 * Content address of the bytes: SHA-256(S("stream", chunkSize u32 ‖ count u32 ‖ total u64 ‖ leaves)).
 * @param leaves SHA-256 of each chunk, concatenated
 */
export async function rootOf(plan: ChunkPlan, leaves: Bytes, crypto: CryptoProvider): Promise<Bytes> {
  const sizes = [u32(plan.chunkBytes), u32(chunkCount(plan)), u64(plan.totalBytes)];
  return await crypto.sha256(labelled("stream", ...sizes, leaves));
}
