import * as v from "valibot";
import { fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { type BlobDescription, chunkCount, LEAF_BYTES, MAX_CHUNKS } from "../stream/index.ts";

/** What lies beside a blob of which the ciphertext is published as it is (protocol section 5). */
export interface PublishedSeal {
  /** Name of the project: every segment is bound to it. */
  readonly project: string;
  /** Plaintext bytes of every segment but the last. */
  readonly chunkBytes: number;
  /** Root over the ciphertext, base64url. */
  readonly root: string;
  /** SHA-256 of each sealed segment, concatenated, base64url. */
  readonly leaves: string;
}

/** What lies beside a sealed blob; the key only wrapped. */
export interface SealRecord {
  readonly stateVersion: 1;
  /** Random 16 bytes in base64url: binds every segment to its blob. */
  readonly blobId: string;
  /** AES-KW of the blob's key, 40 bytes in base64url. */
  readonly wrappedKey: string;
  /** Plaintext bytes. */
  readonly size: number;
  /** Absent: nobody but this server reads it. */
  readonly published?: PublishedSeal;
}

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A record as it is read back. */
export const SealSchema: v.GenericSchema<unknown, SealRecord> = v.strictObject({
  stateVersion: v.literal(1),
  blobId: v.pipe(v.string(), v.length(22)),
  wrappedKey: v.pipe(v.string(), v.length(54)),
  size: natural,
  published: v.exactOptional(
    v.strictObject({
      project: v.pipe(v.string(), v.maxLength(63)),
      chunkBytes: v.pipe(natural, v.minValue(1)),
      root: v.pipe(v.string(), v.length(43)),
      leaves: v.pipe(v.string(), v.maxLength(Math.ceil((MAX_CHUNKS * LEAF_BYTES * 4) / 3))),
    }),
  ),
});

/** Where the record of a blob is kept. */
export const recordKey = (name: string): string => `seal/${name}`;

/** What a record keeps of a blob that is published. */
export function publishedSeal({ chunkBytes, root, leaves }: BlobDescription, project: string): PublishedSeal {
  return { project, chunkBytes, root: toBase64Url(root), leaves: toBase64Url(leaves) };
}

/** The description of a blob that is published; `undefined` for one that is not, or whose record does not add up. */
export function descriptionOf({ blobId, size, published }: SealRecord): BlobDescription | undefined {
  if (published === undefined) return undefined;
  const { chunkBytes, root, leaves } = published;
  const description = {
    root: fromBase64Url(root),
    blobId: fromBase64Url(blobId),
    chunkBytes,
    totalBytes: size,
    leaves: fromBase64Url(leaves),
  };
  return description.leaves.byteLength === LEAF_BYTES * chunkCount(description) ? description : undefined;
}
