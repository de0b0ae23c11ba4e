import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { chunkCount, MAX_CHUNK_BYTES, MAX_CHUNKS, MIN_CHUNK_BYTES } from "../stream/index.ts";
import { TAG_BYTES } from "../wire/index.ts";
import type { SealedManifest } from "./contract.ts";
import { ENCAPSULATED_BYTES } from "./hpke.ts";
import { MAX_RECIPIENTS, MAX_STATEMENT_BYTES } from "./statement.ts";

/** Bytes of a content key. */
export const CONTENT_KEY_BYTES = 32;

const bytesWithin = (least: number, most: number, what: string): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>(
    (value) =>
      value instanceof Uint8Array &&
      value.buffer instanceof ArrayBuffer &&
      value.byteLength >= least &&
      value.byteLength <= most,
    what,
  );

const bytesOf = (length: number): v.GenericSchema<unknown, Bytes> =>
  bytesWithin(length, length, `${length} bytes`);

const integerIn = (least: number, most: number): v.GenericSchema<unknown, number> =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

const wrappedKey = v.strictObject({
  to: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  packageId: bytesOf(16),
  encapsulated: bytesOf(ENCAPSULATED_BYTES),
  wrapped: bytesOf(CONTENT_KEY_BYTES + TAG_BYTES),
});

const stream = v.pipe(
  v.strictObject({
    streamId: bytesOf(16),
    chunkBytes: integerIn(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES),
    totalBytes: integerIn(TAG_BYTES + 1, 2 ** 32),
    leaves: bytesWithin(32, 32 * MAX_CHUNKS, "whole digests of 32 bytes"),
    root: bytesOf(32),
  }),
  v.check((value) => value.leaves.byteLength === 32 * chunkCount(value), "one leaf a chunk"),
  v.check((value) => lastChunkBytes(value) > TAG_BYTES, "content in every chunk"),
);

function lastChunkBytes({ totalBytes, chunkBytes }: { totalBytes: number; chunkBytes: number }): number {
  return totalBytes - (Math.ceil(totalBytes / chunkBytes) - 1) * chunkBytes;
}

/** The schema of a {@link SealedManifest}, for the messages that carry one. */
export const sealedManifestSchema: v.GenericSchema<unknown, SealedManifest> = v.strictObject({
  stream,
  statement: bytesWithin(TAG_BYTES + 1, MAX_STATEMENT_BYTES + TAG_BYTES, "an encrypted statement"),
  keys: v.pipe(v.array(wrappedKey), v.minLength(1), v.maxLength(MAX_RECIPIENTS)),
});
