import type { Bytes } from "../bytes/index.ts";

/** One record of the metadata role. */
export interface MetadataEntry {
  /** `a/b/c` */
  readonly key: string;
  /** Not to be changed. */
  readonly value: Bytes;
  /** Rises with each change of the key; 1 for a record just created. */
  readonly revision: number;
}

/** A part of a list, from its end. */
export interface MetadataPage {
  /** Key that those of the part come before. Default: the list's end. */
  readonly before?: string;
  /** Records that the part has at most, ≥ 1. */
  readonly most: number;
}

/** Small records with optimistic concurrency. Keys: `a/b/c`, at most 512 characters; values at most 1 MiB. */
export interface MetadataStore {
  /** The record, or `undefined` when there is none. */
  get(key: string): Promise<MetadataEntry | undefined>;
  /** @returns the revision, 1. @throws StorageError `ERR_STORAGE_EXISTS` */
  create(key: string, value: Bytes): Promise<number>;
  /** @returns the new revision. @throws StorageError `ERR_STORAGE_CONFLICT` when `expectedRevision` is not the present one */
  put(key: string, value: Bytes, expectedRevision?: number): Promise<number>;
  /** Removes the record; a missing one is no error. @throws StorageError `ERR_STORAGE_CONFLICT` */
  delete(key: string, expectedRevision?: number): Promise<void>;
  /** All records whose key begins with `prefix`, by key; of a page the last of them, the last first. */
  list(prefix: string, page?: MetadataPage): Promise<readonly MetadataEntry[]>;
}

/** A blob as it was stored. */
export interface StoredBlob {
  /** SHA-256 of the content, lower-case hex. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Immutable byte strings by the SHA-256 of their content (lower-case hex). */
export interface BlobStore {
  /**
   * Stores the parts in order, durably, before it resolves.
   * @param parts one at a time: the memory of a part may be used again as soon as the next one is asked for
   * @returns digest and size in bytes
   */
  put(parts: AsyncIterable<Bytes> | Iterable<Bytes>): Promise<StoredBlob>;
  /**
   * The bytes from `offset` (default 0), `length` of them (default: to the end); the caller may change them.
   * @param target memory for them: where it is large enough, the result may be a view of it
   * @throws StorageError `ERR_STORAGE_CORRUPT`
   */
  get(
    digest: string,
    range?: { readonly offset: number; readonly length?: number },
    target?: Bytes,
  ): Promise<Bytes | undefined>;
  /** Size in bytes, or `undefined` when there is no such blob. */
  size(digest: string): Promise<number | undefined>;
  /** Removes the blob; a missing one is no error. */
  delete(digest: string): Promise<void>;
}

/** What an audit record says; chained and stamped by the store. Never payloads or secrets. */
export interface AuditEvent {
  /** UTC, milliseconds since 1970. */
  readonly atMs: number;
  /** Who: certificate digest in hex and name, or "system". */
  readonly actor: string;
  /** What was done, from the list in docs/AUDIT.md: "login", "task", "result", "round", ... */
  readonly action: string;
  /** To what: job id, task id, site. */
  readonly object: string;
  /** How it ended. */
  readonly outcome: "accepted" | "refused" | "done" | "failed";
  /** Error code or short cause; empty when there is none. */
  readonly reason: string;
  /** Ties records of one cause together on server and sites: job id or session id. */
  readonly correlation: string;
  /** Numbers and short strings that belong to the action. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** A stored record: `hash = SHA-256(previousHash, record)`, see core/audit. */
export interface AuditRecord {
  /** 1, 2, 3, ... without gaps. */
  readonly sequence: number;
  /** What the record says. */
  readonly event: AuditEvent;
  /** Hash of the record before; 32 zero bytes for the first. */
  readonly previousHash: Bytes;
  /** 32 bytes: over `previousHash` and this record. */
  readonly hash: Bytes;
  /**
   * By field ("actor", "object", "details.<name>"): keys of the commitments that the chain holds in place of what the event says there.
   * Absent when it says nothing personal, or that was erased.
   */
  readonly salts?: Readonly<Record<string, Bytes>>;
}

/** Append-only chained records. */
export interface AuditStore {
  /** Appends durably. @returns the record as stored */
  append(event: AuditEvent): Promise<AuditRecord>;
  /** Records from `fromSequence` (default 1) on, in order. */
  read(fromSequence?: number): AsyncIterable<AuditRecord>;
  /** The last record, if any. */
  head(): Promise<AuditRecord | undefined>;
}

/** Room on disk for what does not fit in memory and does not outlast the process. */
export interface ScratchStore {
  /** An empty file. @throws StorageError `ERR_STORAGE_UNAVAILABLE` */
  open(): Promise<ScratchFile>;
}

/** See {@link ScratchStore}. Who uses it encrypts what it writes. */
export interface ScratchFile {
  /** Writes all of `bytes` from `offset` on; the file grows as it must. @throws StorageError `ERR_STORAGE_UNAVAILABLE` */
  write(offset: number, bytes: Bytes): Promise<void>;
  /** Fills `target` from `offset` on. @throws StorageError `ERR_STORAGE_CORRUPT` when the file ends before */
  read(offset: number, target: Bytes): Promise<void>;
  /** Removes the file; idempotent. */
  close(): Promise<void>;
}
