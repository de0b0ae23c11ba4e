import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import type { TensorEntry } from "../tensor/index.ts";
import { defineMessage, parseAs } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import {
  bytesOf,
  chunkBitmap,
  chunkBytes,
  integerIn,
  jobId,
  leaves,
  tensorTable,
  totalBytes,
} from "./fields.ts";

/** Where a sealed blob is and how it opens; only ever inside a session. */
export interface BlobReference {
  /** Root over the ciphertext chunks: 32 bytes. */
  readonly root: Bytes;
  /** Content key: 32 bytes, fresh per blob. */
  readonly key: Bytes;
}

/** Schema of a {@link BlobReference}. */
export const blobReference: v.GenericSchema<unknown, BlobReference> = v.strictObject({
  root: bytesOf(32),
  key: bytesOf(32),
});

/** A sealed blob of which chunks are there. */
export interface HeldBlob {
  /** Its root: 32 bytes. */
  readonly root: Bytes;
  /** Bitmap of the chunks that were verified: bit i of byte floor(i / 8), lowest first. */
  readonly received: Bytes;
}

/** Schema of a {@link HeldBlob}. */
export const heldBlob: v.GenericSchema<unknown, HeldBlob> = v.strictObject({
  root: bytesOf(32),
  received: chunkBitmap,
});

/** Payload of a publication OBJECT: what the server says of one sealed blob, signed once for all readers. */
export interface Publication {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What was published. */
  readonly kind: "graph" | "model" | "control";
  /** Model version; 0 for the model as submitted and for a graph. */
  readonly version: number;
  /** Root over the ciphertext: 32 bytes. */
  readonly root: Bytes;
  /** 16 bytes that every chunk is bound to. */
  readonly blobId: Bytes;
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** Plaintext bytes. */
  readonly totalBytes: number;
  /** SHA-256 of each ciphertext chunk. */
  readonly leaves: Bytes;
  /** Where the tensors lie; empty for a graph. */
  readonly tensors: readonly TensorEntry[];
}

const PublicationSchema = v.pipe(
  v.strictObject({
    jobId,
    kind: v.picklist(["graph", "model", "control"]),
    version: integerIn(0, 100_000),
    root: bytesOf(32),
    blobId: bytesOf(16),
    chunkBytes,
    totalBytes,
    leaves,
    tensors: tensorTable,
  }),
  v.check(
    (value) => value.leaves.byteLength === 32 * Math.ceil(value.totalBytes / value.chunkBytes),
    "one leaf a chunk",
  ),
);

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parsePublication(value: unknown): Publication {
  return parseAs<Publication>("publication", PublicationSchema, value);
}

/** Body of {@link blobRequest}. */
export interface BlobRequest {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Root of the blob: 32 bytes. */
  readonly root: Bytes;
}

/** The site lacks a blob that a task names; the server sends publication and blob again. */
export const blobRequest: MessageDefinition<BlobRequest> = defineMessage(
  { type: 24, name: "blob-request", signed: false, from: ["site"] },
  v.strictObject({ jobId, root: bytesOf(32) }),
);

/** Body of {@link jobGraph}. */
export interface JobGraph {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Where the graph is and the key that opens it. */
  readonly graph: BlobReference;
}

/** Where the graph of an accepted job is: once per job and session. */
export const jobGraph: MessageDefinition<JobGraph> = defineMessage(
  { type: 25, name: "job-graph", signed: true, from: ["server"] },
  v.strictObject({ jobId, graph: blobReference }),
);
