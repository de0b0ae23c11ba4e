import * as v from "valibot";
import { type Bytes, concatBytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import type { BlobStore, CryptoProvider, MetadataStore, SecretKey } from "../platform/index.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

/** Plaintext bytes of one sealed segment. */
export const SEGMENT_BYTES = 262_144;
const TAG_BYTES = 16;
/** Bytes of every sealed segment but the last. */
const SEALED_BYTES = SEGMENT_BYTES + TAG_BYTES;
/** Segments that one read of the store brings: 4 MiB. */
const SEGMENTS_PER_READ = 16;
const KEY_BYTES = 32;

/** What lies beside a sealed blob; the key only wrapped. */
interface SealRecord {
  readonly stateVersion: 1;
  /** Random 16 bytes in base64url: binds every segment to its blob. */
  readonly blobId: string;
  /** AES-KW of the blob's key, 40 bytes in base64url. */
  readonly wrappedKey: string;
  /** Plaintext bytes. */
  readonly size: number;
}

const SealSchema: v.GenericSchema<unknown, SealRecord> = v.strictObject({
  stateVersion: v.literal(1),
  blobId: v.pipe(v.string(), v.length(22)),
  wrappedKey: v.pipe(v.string(), v.length(54)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/**
 * Models, updates, graphs and jobs at rest. Each blob has a random AES-256 key, wrapped by the storage key with AES-KW
 * (RFC 3394) and kept beside it, so that a new storage key re-wraps without touching blobs. Segments of 256 KiB under
 * AES-256-GCM; nonce = index, AAD = blob id ‖ index ‖ final: none can be swapped, left out or moved to another blob.
 * The name is the SHA-256 of the ciphertext.
 */
export class CheckpointStore {
  readonly #storageKey: Bytes;
  readonly #modules: CheckpointModules;

  /** @param storageKey 32 bytes. @throws RangeError for another length */
  constructor(storageKey: Bytes, modules: CheckpointModules) {
    if (storageKey.byteLength !== KEY_BYTES) throw new RangeError("a storage key has 32 bytes");
    this.#storageKey = storageKey;
    this.#modules = modules;
  }

  /** Seals and stores `plaintext` durably. Needs one segment of memory. @returns its name: 64 hexadecimal digits */
  async put(plaintext: Bytes): Promise<string> {
    const { crypto, blobs, metadata } = this.#modules;
    const rawKey = crypto.randomBytes(KEY_BYTES);
    const blobId = crypto.randomBytes(16);
    const wrappedKey = await crypto.aesKeyWrap(this.#storageKey, rawKey);
    const key = await crypto.importAesGcmKey(rawKey);
    rawKey.fill(0);
    const { digest } = await blobs.put(sealSegments(crypto, { key, blobId, plaintext }));
    const record: SealRecord = {
      stateVersion: 1,
      blobId: toBase64Url(blobId),
      wrappedKey: toBase64Url(wrappedKey),
      size: plaintext.byteLength,
    };
    await metadata.put(recordKey(digest), encodeRecord(record));
    return digest;
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

  /** The segments of a blob in order, one in memory at a time. @throws JobError `ERR_CHECKPOINT_UNREADABLE` */
  async *segments(name: string): AsyncGenerator<BlobSegment, void, undefined> {
    const record = await this.#record(name);
    const seal = { key: await this.#unwrap(name, record), blobId: fromBase64Url(record.blobId) };
    const count = segmentCount(record.size);
    for (let first = 0; first < count; first += SEGMENTS_PER_READ) {
      const afterLast = Math.min(count, first + SEGMENTS_PER_READ);
      const sealed = await this.#read(name, { first, afterLast, size: record.size });
      for (let index = first; index < afterLast; index++) {
        const start = (index - first) * SEALED_BYTES;
        const ciphertext = sealed.subarray(start, start + SEALED_BYTES);
        const bytes = await this.#open(name, ciphertext, { ...seal, index, isFinal: index === count - 1 });
        yield { offset: index * SEGMENT_BYTES, bytes };
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
    const { crypto, metadata } = this.#modules;
    const record = await this.#record(name);
    const rawKey = await crypto.aesKeyUnwrap(this.#storageKey, fromBase64Url(record.wrappedKey));
    if (rawKey === undefined) throw unreadable(name, "the storage key does not open it");
    const wrappedKey = toBase64Url(await crypto.aesKeyWrap(storageKey, rawKey));
    rawKey.fill(0);
    await metadata.put(recordKey(name), encodeRecord({ ...record, wrappedKey }));
  }

  async #record(name: string): Promise<SealRecord> {
    const entry = await this.#modules.metadata.get(recordKey(name));
    if (entry === undefined) throw unreadable(name, "its key record is missing");
    return decodeRecord(SealSchema, entry.value, recordKey(name));
  }

  async #unwrap(name: string, record: SealRecord): Promise<SecretKey> {
    const { crypto } = this.#modules;
    const rawKey = await crypto.aesKeyUnwrap(this.#storageKey, fromBase64Url(record.wrappedKey));
    if (rawKey === undefined) throw unreadable(name, "the storage key does not open it");
    const key = await crypto.importAesGcmKey(rawKey);
    rawKey.fill(0);
    return key;
  }

  async #read(name: string, { first, afterLast, size }: SegmentRange): Promise<Bytes> {
    const offset = first * SEALED_BYTES;
    const isLast = afterLast === segmentCount(size);
    const length = (isLast ? size + afterLast * TAG_BYTES : afterLast * SEALED_BYTES) - offset;
    const sealed = await this.#modules.blobs.get(name, { offset, length });
    if (sealed?.byteLength !== length) throw unreadable(name, "it is missing or cut short");
    return sealed;
  }

  async #open(
    name: string,
    ciphertext: Bytes,
    { key, blobId, index, isFinal }: SegmentPlace,
  ): Promise<Bytes> {
    const aad = segmentAad(blobId, index, isFinal);
    const segment = await this.#modules.crypto.aesGcmOpen(key, nonceOf(index), ciphertext, aad);
    if (segment === undefined) throw unreadable(name, `segment ${index} was altered`);
    return segment;
  }
}

/** A part of an opened blob. */
export interface BlobSegment {
  /** Bytes from the start of the plaintext. */
  readonly offset: number;
  /** At most {@link SEGMENT_BYTES}. */
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

interface SegmentPlace {
  readonly key: SecretKey;
  readonly blobId: Bytes;
  readonly index: number;
  readonly isFinal: boolean;
}

interface SegmentRange {
  readonly first: number;
  readonly afterLast: number;
  /** Plaintext bytes of the blob. */
  readonly size: number;
}

const recordKey = (name: string): string => `seal/${name}`;

/** An empty blob has one empty segment, so that its end is authenticated too. */
const segmentCount = (size: number): number => Math.max(1, Math.ceil(size / SEGMENT_BYTES));

async function* sealSegments(
  crypto: CryptoProvider,
  { key, blobId, plaintext }: { readonly key: SecretKey; readonly blobId: Bytes; readonly plaintext: Bytes },
): AsyncGenerator<Bytes> {
  const count = segmentCount(plaintext.byteLength);
  for (let index = 0; index < count; index++) {
    const segment = plaintext.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES);
    yield await crypto.aesGcmSeal(
      key,
      nonceOf(index),
      segment,
      segmentAad(blobId, index, index === count - 1),
    );
  }
}

/** 12 bytes: the index, big endian. The key is fresh per blob, so a nonce never repeats under it. */
function nonceOf(index: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(8, index);
  return nonce;
}

function segmentAad(blobId: Bytes, index: number, isFinal: boolean): Bytes {
  const place = new Uint8Array(5);
  new DataView(place.buffer).setUint32(0, index);
  place[4] = isFinal ? 1 : 0;
  return concatBytes(blobId, place);
}

function unreadable(name: string, why: string): JobError {
  return new JobError("ERR_CHECKPOINT_UNREADABLE", `blob ${name.slice(0, 16)}: ${why}`);
}
