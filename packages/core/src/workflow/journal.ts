import * as v from "valibot";
import { fromUtf8, utf8 } from "../bytes/index.ts";
import { type CheckpointStore, decodeRecord, encodeRecord } from "../job/index.ts";
import type { MetadataStore } from "../platform/index.ts";

/** One recorded context call. */
export interface JournalEntry {
  /** "start" for number 0, else the name of the context call. */
  readonly call: string;
  /** What the call was made with; another input at the same number is another workflow. */
  readonly input: unknown;
  /** What it returned, or the JobError that it threw. */
  readonly outcome: JournalOutcome;
}

/** How a recorded call ended. */
export type JournalOutcome =
  | { readonly kind: "returned"; readonly value: unknown }
  | { readonly kind: "threw"; readonly code: string; readonly message: string };

/** The recorded calls of one job. */
export interface Journal {
  /** Every entry by its number. */
  load(): Promise<ReadonlyMap<number, JournalEntry>>;
  /** Records one entry durably, once. @throws StorageError `ERR_STORAGE_EXISTS` when another process wrote it */
  append(number: number, entry: JournalEntry): Promise<void>;
}

/** Entries above this size go to a sealed blob: a metadata value has at most 1 MiB. */
const LARGEST_INLINE_BYTES = 400_000;

const StoredSchema = v.union([
  v.strictObject({ inline: v.pipe(v.string(), v.maxLength(1_000_000)) }),
  v.strictObject({ blob: v.pipe(v.string(), v.length(64)) }),
]);

const EntrySchema: v.GenericSchema<unknown, JournalEntry> = v.strictObject({
  call: v.pipe(v.string(), v.maxLength(20)),
  input: v.unknown(),
  outcome: v.variant("kind", [
    v.strictObject({ kind: v.literal("returned"), value: v.unknown() }),
    v.strictObject({
      kind: v.literal("threw"),
      code: v.pipe(v.string(), v.maxLength(64)),
      message: v.pipe(v.string(), v.maxLength(2000)),
    }),
  ]),
});

const prefixOf = (jobId: string): string => `journal/${jobId}/`;
const keyOf = (jobId: string, number: number): string =>
  `${prefixOf(jobId)}${number.toString().padStart(9, "0")}`;

/** The journal of `jobId` in the metadata role; large outcomes in sealed blobs. */
export function openJournal(
  jobId: string,
  { metadata, checkpoints }: { readonly metadata: MetadataStore; readonly checkpoints: CheckpointStore },
): Journal {
  return {
    async load() {
      const entries = new Map<number, JournalEntry>();
      for (const { key, value } of await metadata.list(prefixOf(jobId))) {
        const stored = decodeRecord(StoredSchema, value, key);
        const bytes = "inline" in stored ? utf8(stored.inline) : await checkpoints.get(stored.blob);
        entries.set(Number(key.slice(prefixOf(jobId).length)), decodeRecord(EntrySchema, bytes, key));
      }
      return entries;
    },
    async append(number, entry) {
      const bytes = encodeRecord(entry);
      const stored =
        bytes.byteLength <= LARGEST_INLINE_BYTES
          ? { inline: fromUtf8(bytes) }
          : { blob: await checkpoints.put(bytes) };
      await metadata.create(keyOf(jobId, number), encodeRecord(stored));
    },
  };
}

/** Removes the journal of a job with its blobs. */
export async function clearJournal(
  jobId: string,
  { metadata, checkpoints }: { readonly metadata: MetadataStore; readonly checkpoints: CheckpointStore },
): Promise<void> {
  for (const { key, value } of await metadata.list(prefixOf(jobId))) {
    const stored = decodeRecord(StoredSchema, value, key);
    if ("blob" in stored) await checkpoints.delete(stored.blob);
    await metadata.delete(key);
  }
}
