import { type Bytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import type { BlobStore, CryptoProvider, MetadataStore } from "../platform/index.ts";
import { chunkCount, ciphertextPlan, LEAF_BYTES, rootOf } from "../stream/index.ts";
import { TAG_BYTES } from "../wire/index.ts";
import { FrameCache } from "./frame-cache.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { descriptionOf, publishedSeal, recordKey, type SealRecord, SealSchema } from "./seal-record.ts";
import { openSegment, SEGMENT_BYTES, type SegmentSeal, sealSegments, segmentCount } from "./seal-segments.ts";
import { type ReadCiphertext, type StoredBlob, StoredFrames } from "./stored-blob.ts";

/** Bytes that one read of the store brings at least: 512 KiB. */
const READ_BYTES = 524_288;
const KEY_BYTES = 32;

/**
 * Models, updates, graphs and jobs at rest. Each blob has a random AES-256 key, wrapped by the storage key with AES-KW
 * (RFC 3394) and kept beside it, so that a new storage key re-wraps without touching blobs. Segments of 256 KiB under
 * AES-256-GCM: none can be swapped, left out or moved to another blob. The name is the SHA-256 of the ciphertext.
 *
 * What sites read is stored as they read it: its ciphertext is the sealed blob of protocol section 5, so that a model
 * version is encrypted once for the disk and for everybody, and leaves the server without being held in memory.
 */
export class CheckpointStore {
  readonly #storageKey: Bytes;
  readonly #modules: CheckpointModules;
  readonly #cache = new FrameCache();

  /** @param storageKey 32 bytes. @throws RangeError for another length */
  constructor(storageKey: Bytes, modules: CheckpointModules) {
    if (storageKey.byteLength !== KEY_BYTES) throw new RangeError("a storage key has 32 bytes");
    this.#storageKey = storageKey;
    this.#modules = modules;
  }

  /** Seals and stores `plaintext` durably. Needs one segment of memory. @returns its name: 64 hexadecimal digits */
  async put(plaintext: Bytes): Promise<string> {
    const { crypto, blobs } = this.#modules;
    const { seal, record } = await this.#newSeal(plaintext, { project: "", segmentBytes: SEGMENT_BYTES });
    const { digest } = await blobs.put(sealSegments(plaintext, seal, crypto));
    await this.#keep(digest, record);
    return digest;
  }

  /**
   * {@link put} of what is published: sealed as sites read it.
   * @param form project and chunk size of the job; the plaintext is not empty
   */
  async putPublished(plaintext: Bytes, form: PublishedForm): Promise<string> {
    const { crypto, blobs } = this.#modules;
    const { project, chunkBytes } = form;
    const plan = { chunkBytes, totalBytes: plaintext.byteLength };
    const leaves = new Uint8Array(LEAF_BYTES * chunkCount(plan));
    const { seal, record } = await this.#newSeal(plaintext, { project, segmentBytes: chunkBytes });
    const { digest } = await blobs.put(hashed(sealSegments(plaintext, seal, crypto), leaves, crypto));
    const root = await rootOf(ciphertextPlan(plan), leaves, crypto);
    const description = { ...plan, root, blobId: seal.blobId, leaves };
    await this.#keep(digest, { ...record, published: publishedSeal(description, project) });
    return digest;
  }

  /**
   * A blob of {@link putPublished} with the key that opens it, to be sent as it lies there.
   * @throws JobError `ERR_CHECKPOINT_UNREADABLE` when it is missing, was not stored to be published, or is under
   *   another storage key
   */
  async published(name: string): Promise<StoredBlob> {
    const record = await this.#record(name);
    const description = descriptionOf(record);
    if (description === undefined) throw unreadable(name, "it is not stored as it is published");
    const key = await this.#unwrap(name, record);
    const read: ReadCiphertext = (range, target) => this.#read(name, range, target);
    const frames = new StoredFrames(description, { read, cache: this.#cache });
    const { totalBytes: ciphertextBytes } = ciphertextPlan(description);
    const readers = { frames: () => frames.reader(), read: () => frames.chunks() };
    return { description, key, ciphertextBytes, ...readers };
  }

  /**
   * Opens a blob.
   * @param target where the plaintext goes, of exactly its size; a fresh array when absent
   * @throws JobError `ERR_CHECKPOINT_UNREADABLE` when it is missing, altered or under another storage key
   */
  async get(name: string, target?: Bytes): Promise<Bytes> {
    const size = target?.byteLength ?? (await this.size(name));
    const plaintext = target ?? new Uint8Array(size);
    let end = 0;
    for await (const { offset, bytes } of this.segments(name)) {
      end = offset + bytes.byteLength;
      if (end > size) break;
      plaintext.set(bytes, offset);
    }
    if (end !== size) throw unreadable(name, "it has another size");
    return plaintext;
  }

  /**
   * The segments of a blob in order, one in memory at a time: its bytes are used up when the next is asked for.
   * @throws JobError `ERR_CHECKPOINT_UNREADABLE`
   */
  async *segments(name: string): AsyncGenerator<BlobSegment, void, undefined> {
    const { crypto } = this.#modules;
    const record = await this.#record(name);
    const seal = await this.#sealOf(name, record);
    const { segmentBytes } = seal;
    const count = segmentCount(record.size, segmentBytes);
    const sealedBytes = segmentBytes + TAG_BYTES;
    const perRead = Math.max(1, Math.floor(READ_BYTES / segmentBytes));
    const memory = new Uint8Array(Math.min(perRead, count) * sealedBytes);
    for (let first = 0; first < count; first += perRead) {
      const end = Math.min((first + perRead) * sealedBytes, record.size + count * TAG_BYTES);
      const range = { offset: first * sealedBytes, length: end - first * sealedBytes };
      const sealed = await this.#read(name, range, memory);
      for (let index = first; index < Math.min(count, first + perRead); index++) {
        const start = (index - first) * sealedBytes;
        const place = { index, isFinal: index === count - 1, crypto };
        const bytes = await openSegment(sealed.subarray(start, start + sealedBytes), seal, place);
        if (bytes === undefined) throw unreadable(name, `segment ${index} was altered`);
        yield { offset: index * segmentBytes, bytes };
      }
    }
  }

  /** Plaintext bytes of a blob. @throws JobError `ERR_CHECKPOINT_UNREADABLE` */
  async size(name: string): Promise<number> {
    return (await this.#record(name)).size;
  }

  /** Removes blob and wrapped key; a missing one is no error. */
  async delete(name: string): Promise<void> {
    await this.#modules.metadata.delete(recordKey(name));
    await this.#modules.blobs.delete(name);
  }

  /** Wraps the key of a blob anew, from this store's storage key to `storageKey`; the blob stays as it is. */
  async rewrap(name: string, storageKey: Bytes): Promise<void> {
    const record = await this.#record(name);
    const rawKey = await this.#unwrap(name, record);
    const wrappedKey = toBase64Url(await this.#modules.crypto.aesKeyWrap(storageKey, rawKey));
    rawKey.fill(0);
    await this.#keep(name, { ...record, wrappedKey });
  }

  async #newSeal(
    plaintext: Bytes,
    form: Pick<SegmentSeal, "project" | "segmentBytes">,
  ): Promise<{ readonly seal: SegmentSeal; readonly record: SealRecord }> {
    const { crypto } = this.#modules;
    const rawKey = crypto.randomBytes(KEY_BYTES);
    const blobId = crypto.randomBytes(16);
    const wrappedKey = toBase64Url(await crypto.aesKeyWrap(this.#storageKey, rawKey));
    const key = await crypto.importAesGcmKey(rawKey);
    rawKey.fill(0);
    const size = plaintext.byteLength;
    const record: SealRecord = { stateVersion: 1, blobId: toBase64Url(blobId), wrappedKey, size };
    return { seal: { key, blobId, ...form }, record };
  }

  async #sealOf(name: string, record: SealRecord): Promise<SegmentSeal> {
    const { crypto } = this.#modules;
    const rawKey = await this.#unwrap(name, record);
    const key = await crypto.importAesGcmKey(rawKey);
    rawKey.fill(0);
    const { project = "", chunkBytes: segmentBytes = SEGMENT_BYTES } = record.published ?? {};
    return { key, blobId: fromBase64Url(record.blobId), project, segmentBytes };
  }

  async #keep(name: string, record: SealRecord): Promise<void> {
    await this.#modules.metadata.put(recordKey(name), encodeRecord(record));
  }

  async #record(name: string): Promise<SealRecord> {
    const entry = await this.#modules.metadata.get(recordKey(name));
    if (entry === undefined) throw unreadable(name, "its key record is missing");
    return decodeRecord(SealSchema, entry.value, recordKey(name));
  }

  async #unwrap(name: string, record: SealRecord): Promise<Bytes> {
    const { crypto } = this.#modules;
    const rawKey = await crypto.aesKeyUnwrap(this.#storageKey, fromBase64Url(record.wrappedKey));
    if (rawKey === undefined) throw unreadable(name, "the storage key does not open it");
    return rawKey;
  }

  async #read(
    name: string,
    range: { readonly offset: number; readonly length: number },
    target?: Bytes,
  ): Promise<Bytes> {
    const sealed = await this.#modules.blobs.get(name, range, target);
    if (sealed?.byteLength !== range.length) throw unreadable(name, "it is missing or cut short");
    return sealed;
  }
}

/** How the ciphertext of what is published is cut and bound. */
export interface PublishedForm {
  /** Name of the project. */
  readonly project: string;
  /** Plaintext bytes of every chunk but the last: the job's. */
  readonly chunkBytes: number;
}

/** A part of an opened blob. */
export interface BlobSegment {
  /** Bytes from the start of the plaintext. */
  readonly offset: number;
  /** At most a segment: {@link SEGMENT_BYTES}, or the chunk size of what is published. */
  readonly bytes: Bytes;
}

/** What a {@link CheckpointStore} works with. */
export interface CheckpointModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Bytes by their digest. */
  readonly blobs: BlobStore;
  /** Small records. */
  readonly metadata: MetadataStore;
}

/** The segments as they come; the SHA-256 of each goes into `leaves`. */
async function* hashed(
  segments: AsyncIterable<Bytes>,
  leaves: Bytes,
  crypto: CryptoProvider,
): AsyncGenerator<Bytes, void, undefined> {
  let index = 0;
  for await (const segment of segments) {
    leaves.set(await crypto.sha256(segment), LEAF_BYTES * index);
    index += 1;
    yield segment;
  }
}

function unreadable(name: string, why: string): JobError {
  return new JobError("ERR_CHECKPOINT_UNREADABLE", `blob ${name.slice(0, 16)}: ${why}`);
}
