import { type Bytes, concatBytes, equalBytes, utf8 } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { CryptoProvider, SecretKey } from "../platform/index.ts";
import {
  counterNonce,
  FRAME_KIND,
  PREFIX_BYTES,
  sealInto,
  TAG_BYTES,
  u32,
  writePrefix,
} from "../wire/index.ts";
import { ChunkSet } from "./chunk-set.ts";
import {
  type ChunkPlan,
  chunkCount,
  chunkLength,
  DEFAULT_CHUNK_BYTES,
  LEAF_BYTES,
  leafOf,
  rootOf,
} from "./chunks.ts";
import type { BlobChunk, SealedBlob, StreamSink, StreamSource } from "./contract.ts";
import { blobHeader } from "./frames.ts";
import { type StreamModules, YIELD_BYTES } from "./manifest.ts";

/** What is sealed. */
export interface SealBlobOptions {
  /** Name of the project: part of what every chunk is bound to. */
  readonly project: string;
  /** Plaintext bytes, at least 1. */
  readonly totalBytes: number;
  /** 64 KiB to 1 MiB; default 256 KiB. */
  readonly chunkBytes?: number;
}

/** A sealed blob and the key that opens it. */
export interface SealedBlobWithKey {
  /** The ciphertext and what describes it. */
  readonly blob: SealedBlob;
  /** 32 bytes, fresh: it travels only inside sessions. */
  readonly key: Bytes;
}

/** AAD of one chunk: project ‖ blob id (16 B) ‖ index u32 ‖ final u8. The fixed lengths behind make it unambiguous. */
export function chunkAssociatedData(
  project: string,
  blobId: Bytes,
  chunk: { readonly index: number; readonly final: boolean },
): Bytes {
  return concatBytes(utf8(project), blobId, u32(chunk.index), Uint8Array.of(chunk.final ? 1 : 0));
}

/** How the ciphertext is cut: each chunk is longer by its tag. */
export function ciphertextPlan(plan: ChunkPlan): ChunkPlan {
  return {
    chunkBytes: plan.chunkBytes + TAG_BYTES,
    totalBytes: plan.totalBytes + TAG_BYTES * chunkCount(plan),
  };
}

/**
 * Encrypts a source once under a fresh content key, for many readers: AES-256-GCM, nonce = index, then leaves and
 * root over the ciphertext (protocol section 5). One pass of encryption and one of hashing, however many sites read it.
 */
export async function sealBlob(
  source: StreamSource,
  options: SealBlobOptions,
  modules: StreamModules,
): Promise<SealedBlobWithKey> {
  const { project, totalBytes, chunkBytes = DEFAULT_CHUNK_BYTES } = options;
  const { crypto, clock } = modules;
  const plan: ChunkPlan = { chunkBytes, totalBytes };
  const count = chunkCount(plan);
  const key = crypto.randomBytes(32);
  const blobId = crypto.randomBytes(16);
  const secret = await crypto.importAesGcmKey(key);
  const leaves = new Uint8Array(LEAF_BYTES * count);
  const frames: Bytes[] = [];
  let sinceYield = 0;
  for (let index = 0; index < count; index++) {
    const data = await source.read(index * chunkBytes, chunkLength(plan, index));
    const frame = emptyFrame(index, data.byteLength + TAG_BYTES);
    const sealed = ciphertextOf(frame, data.byteLength + TAG_BYTES);
    await sealInto(crypto, secret, {
      iv: counterNonce(index),
      aad: chunkAssociatedData(project, blobId, { index, final: index === count - 1 }),
      parts: [data],
      ciphertext: sealed.subarray(0, data.byteLength),
      tag: sealed.subarray(data.byteLength),
    });
    leaves.set(await crypto.sha256(sealed), LEAF_BYTES * index);
    frames.push(frame);
    sinceYield += chunkBytes;
    if (sinceYield >= YIELD_BYTES) {
      sinceYield = 0;
      await clock.yield();
    }
  }
  const root = await rootOf(ciphertextPlan(plan), leaves, crypto);
  return { key, blob: named({ root, blobId, chunkBytes, totalBytes, leaves }, frames) };
}

/** What a publication says of a sealed blob. */
export interface BlobDescription {
  /** Root over the ciphertext: 32 bytes. */
  readonly root: Bytes;
  /** 16 bytes. */
  readonly blobId: Bytes;
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** Plaintext bytes altogether. */
  readonly totalBytes: number;
  /** SHA-256 of each ciphertext chunk, concatenated. */
  readonly leaves: Bytes;
}

/**
 * A blob sealed before, from its ciphertext as `GET /blobs/<root>` or storage yields it.
 * @throws RangeError when the length of the ciphertext is another
 */
export function restoreBlob(description: BlobDescription, ciphertext: Bytes): SealedBlob {
  const plan = ciphertextPlan(description);
  if (ciphertext.byteLength !== plan.totalBytes) throw new RangeError("the ciphertext has another length");
  const frames = Array.from({ length: chunkCount(plan) }, (_, index) => {
    const length = chunkLength(plan, index);
    const frame = emptyFrame(index, length);
    const offset = index * plan.chunkBytes;
    ciphertextOf(frame, length).set(ciphertext.subarray(offset, offset + length));
    return frame;
  });
  return named(description, frames);
}

/** Stands in a header until the root is known; all roots are equally long. */
const NO_ROOT: Bytes = new Uint8Array(LEAF_BYTES);

/** A BLOB frame that lacks its root and its ciphertext: the one place in memory where the ciphertext is put. */
function emptyFrame(index: number, ciphertextLength: number): Bytes {
  const header = blobHeader(NO_ROOT, index, ciphertextLength);
  const frame = new Uint8Array(PREFIX_BYTES + header.byteLength + ciphertextLength);
  writePrefix(frame, FRAME_KIND.blob, { header: header.byteLength, tag: 0, payload: ciphertextLength });
  return frame;
}

function ciphertextOf(frame: Bytes, length: number): Bytes {
  return frame.subarray(frame.byteLength - length);
}

/** Puts the root into the frames. The chunks are views into them, so that the blob is in memory once. */
function named(description: BlobDescription, frames: readonly Bytes[]): SealedBlob {
  const { root } = description;
  const plan = ciphertextPlan(description);
  const chunks = frames.map((frame, index) => {
    const length = chunkLength(plan, index);
    frame.set(blobHeader(root, index, length), PREFIX_BYTES);
    return ciphertextOf(frame, length);
  });
  const { blobId, chunkBytes, totalBytes, leaves } = description;
  return { root, blobId, chunkBytes, totalBytes, leaves, chunks, frames };
}

/** How a sealed blob is opened. */
export interface OpenBlobOptions {
  /** From the verified publication. */
  readonly description: BlobDescription;
  /** Content key from the task: 32 bytes. */
  readonly key: Bytes;
  /** Name of the project. */
  readonly project: string;
  /** Takes the plaintext. */
  readonly sink: StreamSink;
}

/**
 * Opens a sealed blob chunk by chunk, in any order, holding no more than the chunk at hand: leaf first, then key.
 * Nothing reaches the sink that was not verified.
 */
export class BlobOpener {
  readonly #options: OpenBlobOptions;
  readonly #secret: SecretKey;
  readonly #crypto: CryptoProvider;
  readonly #received: ChunkSet;
  #missing: number;

  private constructor(options: OpenBlobOptions, secret: SecretKey, crypto: CryptoProvider) {
    this.#options = options;
    this.#secret = secret;
    this.#crypto = crypto;
    this.#missing = chunkCount(options.description);
    this.#received = new ChunkSet(options.description);
  }

  /** @throws EnvelopeError `ERR_DIGEST_MISMATCH` when root and leaves of the publication do not belong together */
  static async create(
    options: OpenBlobOptions,
    modules: { readonly crypto: CryptoProvider },
  ): Promise<BlobOpener> {
    const { crypto } = modules;
    const { description } = options;
    // [W-81]
    const plan = ciphertextPlan(description);
    const leavesFit = description.leaves.byteLength === LEAF_BYTES * chunkCount(plan);
    if (!leavesFit || !equalBytes(description.root, await rootOf(plan, description.leaves, crypto))) {
      throw new EnvelopeError("ERR_DIGEST_MISMATCH", "the root of the blob is not that of its leaves");
    }
    return new BlobOpener(options, await crypto.importAesGcmKey(options.key), crypto);
  }

  /** The chunks that were verified; they grow as further ones come. */
  get received(): ChunkSet {
    return this.#received;
  }

  /** True when every chunk is in the sink. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Takes one chunk; a chunk of another blob, or one that was taken before, changes nothing.
   * @returns true when it was new
   * @throws EnvelopeError `ERR_DIGEST_MISMATCH` when it is not the published one (drop it, fetch it again),
   *   `ERR_BLOB_UNREADABLE` when the key does not open it
   */
  async accept(chunk: BlobChunk): Promise<boolean> {
    const { description, project, sink } = this.#options;
    const { index, ciphertext } = chunk;
    const plan = ciphertextPlan(description);
    const count = chunkCount(plan);
    if (!equalBytes(chunk.root, description.root) || this.#received.has(index)) return false;
    // [W-82]
    const fits = index < count && ciphertext.byteLength === chunkLength(plan, index);
    if (!fits || !equalBytes(await this.#crypto.sha256(ciphertext), leafOf(description.leaves, index))) {
      throw new EnvelopeError("ERR_DIGEST_MISMATCH", `chunk ${index} is not the one that was published`);
    }
    const aad = chunkAssociatedData(project, description.blobId, { index, final: index === count - 1 });
    const data = await this.#crypto.aesGcmOpen(this.#secret, counterNonce(index), ciphertext, aad);
    // [W-83]
    if (data === undefined) {
      throw new EnvelopeError(
        "ERR_BLOB_UNREADABLE",
        `chunk ${index} does not open under the key of the task`,
      );
    }
    if (this.#received.has(index)) return false; // the same chunk was verified meanwhile
    this.#received.add(index);
    await sink.write(index * description.chunkBytes, data);
    this.#missing -= 1;
    return true;
  }
}

/** All chunks of a blob at once. @throws EnvelopeError as {@link BlobOpener.accept} */
export async function openBlob(
  blob: SealedBlob,
  options: OpenBlobOptions,
  modules: { readonly crypto: CryptoProvider },
): Promise<void> {
  const opener = await BlobOpener.create(options, modules);
  for (const [index, ciphertext] of blob.chunks.entries()) {
    await opener.accept({ root: blob.root, index, ciphertext });
  }
}
