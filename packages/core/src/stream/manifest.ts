import { type Bytes, equalBytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import {
  type ChunkPlan,
  chunkCount,
  chunkLength,
  DEFAULT_CHUNK_BYTES,
  LEAF_BYTES,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  MIN_CHUNK_BYTES,
  rootOf,
} from "./chunks.ts";
import type { StreamManifest, StreamSource } from "./contract.ts";

/** Hashes under way at once: enough to hide WebCrypto's latency (256 KiB chunks, 4 in flight). */
const IN_FLIGHT = 4;
/** Bytes between two turns for other work: about 1 ms of hashing. */
export const YIELD_BYTES = 1_048_576;

/** What hashing and sealing work with. */
export interface StreamModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Time. */
  readonly clock: Clock;
}

/** Options of {@link makeManifest}. */
export interface ManifestOptions {
  /** Bytes of the source, at least 1. */
  readonly totalBytes: number;
  /** 64 KiB to 1 MiB; default 256 KiB. */
  readonly chunkBytes?: number;
  /** 16 bytes; random by default. */
  readonly streamId?: Bytes;
}

/**
 * Hashes a source once, chunk by chunk and without copying it, into the manifest that its author signs.
 * @throws RangeError when the sizes are outside the limits of a stream
 */
export async function makeManifest(
  source: StreamSource,
  options: ManifestOptions,
  modules: StreamModules,
): Promise<StreamManifest> {
  const { totalBytes, chunkBytes = DEFAULT_CHUNK_BYTES } = options;
  const plan: ChunkPlan = { chunkBytes, totalBytes };
  const problem = problemOf(plan);
  if (problem !== undefined) throw new RangeError(problem);
  const leaves = await hashChunks(source, plan, modules);
  return {
    streamId: options.streamId ?? modules.crypto.randomBytes(16),
    chunkBytes,
    totalBytes,
    leaves,
    root: await rootOf(plan, leaves, modules.crypto),
  };
}

/** SHA-256 of each chunk, concatenated; reads ahead {@link IN_FLIGHT} chunks. */
async function hashChunks(source: StreamSource, plan: ChunkPlan, modules: StreamModules): Promise<Bytes> {
  const leaves = new Uint8Array(LEAF_BYTES * chunkCount(plan));
  const underWay: Promise<void>[] = [];
  const hash = async (index: number): Promise<void> => {
    const data = await source.read(index * plan.chunkBytes, chunkLength(plan, index));
    leaves.set(await modules.crypto.sha256(data), LEAF_BYTES * index);
  };
  let sinceYield = 0;
  for (let index = 0; index < chunkCount(plan); index++) {
    underWay.push(hash(index));
    if (underWay.length >= IN_FLIGHT) await underWay.shift();
    sinceYield += plan.chunkBytes;
    if (sinceYield >= YIELD_BYTES) {
      sinceYield = 0;
      await modules.clock.yield();
    }
  }
  await Promise.all(underWay);
  return leaves;
}

/**
 * Checks what a peer says of a stream before anything is allocated for it.
 *
 * @param maximumBytes most that the receiver takes
 * @throws EnvelopeError `ERR_STREAM_REFUSED` or `ERR_DIGEST_MISMATCH`
 */
export async function checkManifest(
  manifest: StreamManifest,
  maximumBytes: number,
  crypto: CryptoProvider,
): Promise<void> {
  // [W-71]
  const problem = problemOf(manifest);
  if (problem !== undefined) throw new EnvelopeError("ERR_STREAM_REFUSED", problem);
  if (manifest.totalBytes > maximumBytes) {
    throw new EnvelopeError(
      "ERR_STREAM_REFUSED",
      `a stream of ${manifest.totalBytes} bytes, at most ${maximumBytes}`,
    );
  }
  // [W-72]
  if (
    manifest.streamId.byteLength !== 16 ||
    manifest.leaves.byteLength !== LEAF_BYTES * chunkCount(manifest)
  ) {
    throw new EnvelopeError("ERR_STREAM_REFUSED", "a manifest has one leaf a chunk and an id of 16 bytes");
  }
  // [W-73]
  if (!equalBytes(manifest.root, await rootOf(manifest, manifest.leaves, crypto))) {
    throw new EnvelopeError("ERR_DIGEST_MISMATCH", "the root of the manifest is not that of its leaves");
  }
}

function problemOf(plan: ChunkPlan): string | undefined {
  const { chunkBytes, totalBytes } = plan;
  if (!Number.isSafeInteger(chunkBytes) || chunkBytes < MIN_CHUNK_BYTES || chunkBytes > MAX_CHUNK_BYTES) {
    return `chunks of ${chunkBytes} bytes, expected ${MIN_CHUNK_BYTES} to ${MAX_CHUNK_BYTES}`;
  }
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 1) return `a stream of ${totalBytes} bytes`;
  if (chunkCount(plan) > MAX_CHUNKS) return `a stream of more than ${MAX_CHUNKS} chunks`;
  return undefined;
}
