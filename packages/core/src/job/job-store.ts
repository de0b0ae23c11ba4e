import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import { type JobEnd, type JobState, jobEnd } from "../message/index.ts";
import type { Role } from "../pki/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

/** Where a model version is stored and how good it was. */
export interface StoredModel {
  /** 0 as submitted, else the round that made it. */
  readonly version: number;
  /** Name of the checkpoint. */
  readonly checkpoint: string;
  /** Name of the checkpoint of what the server keeps beside the model for the next round; absent when it keeps nothing. */
  readonly state?: string;
}

/** The best version so far. */
export interface BestModel extends StoredModel {
  /** Mean over the sites' held-out examples. */
  readonly accuracy: number;
  /** Loss on the held-out examples of the sites. */
  readonly loss: number;
}

/** What the server keeps of a job; its bulk lies in sealed blobs. */
export interface JobRecord {
  /** Version of the stored form. */
  readonly stateVersion: 1;
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** From the definition: for lists. */
  readonly name: string;
  /** Where the job stands. */
  readonly state: JobState;
  /** Error code or "rounds done"; empty while it runs. */
  readonly reason: string;
  /** Who ended it and why; absent until the end, and of jobs that ended before this was kept. */
  readonly end?: JobEnd;
  /** Who submitted it, from the certificate. */
  readonly submitter: {
    readonly name: string;
    readonly org: string;
    readonly role: Role;
    /** SHA-256 of the leaf certificate in hex. */
    readonly leafDigest: string;
  };
  /** Milliseconds since 1970. */
  readonly submittedAtMs: number;
  /** The message that handed it in: sent again, it is answered as before. Absent of jobs from before this was kept. */
  readonly submission?: {
    /** Hex. */
    readonly messageId: string;
    /** SHA-256 of its payload, hex. */
    readonly payloadDigest: string;
  };
  /** Milliseconds since 1970. */
  readonly startedAtMs?: number;
  /** Milliseconds since 1970; absent until the end. */
  readonly endedAtMs?: number;
  /** Sealed blobs: the OBJECT with its chain, the graph, the initial parameters. */
  readonly object: string;
  /** Checkpoint of the graph: SHA-256 of its ciphertext, hex. */
  readonly graph: string;
  /** Checkpoint of the model as submitted: SHA-256 of its ciphertext, hex. */
  readonly initialModel: string;
  /** The newest version; the initial one before the first round. */
  readonly last: StoredModel;
  /** The best version so far. */
  readonly best?: BestModel;
  /** Study of the project that it belongs to; absent where there are none. */
  readonly study?: string;
  /** Id of the job that it was cloned from. */
  readonly clonedFrom?: string;
  /** Days after its end until it is deleted, from the definition. */
  readonly retainDays?: number;
  /** It was deleted: the record stays, so that nothing is handed in or counted for it again. */
  readonly deletion?: JobDeletion;
}

/** The end of everything that was kept of a job. */
export interface JobDeletion {
  /** Name of the user; "server" when its time was up. */
  readonly by: string;
  /** Why, for people. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** False while blobs and records of it may still be there. */
  readonly isDone: boolean;
}

/** @throws JobError `ERR_JOB_DELETED` */
export function requireNotDeleted({ jobId, deletion }: JobRecord): void {
  if (deletion !== undefined) throw new JobError("ERR_JOB_DELETED", `${deletion.by} deleted job ${jobId}`);
}

const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const version = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(100_000));
const text = v.pipe(v.string(), v.maxLength(320));

const RecordSchema: v.GenericSchema<unknown, JobRecord> = v.strictObject({
  stateVersion: v.literal(1),
  jobId: hex(32),
  name: v.pipe(v.string(), v.maxLength(100)),
  state: v.picklist(["waiting", "dispatched", "running", "finished", "failed", "aborted"]),
  reason: text,
  end: v.exactOptional(jobEnd),
  submitter: v.strictObject({
    name: text,
    org: text,
    role: v.picklist(["server", "site", "project_admin", "org_admin", "lead", "member"]),
    leafDigest: hex(64),
  }),
  submittedAtMs: time,
  submission: v.exactOptional(v.strictObject({ messageId: hex(32), payloadDigest: hex(64) })),
  startedAtMs: v.exactOptional(time),
  endedAtMs: v.exactOptional(time),
  object: hex(64),
  graph: hex(64),
  initialModel: hex(64),
  last: v.strictObject({ version, checkpoint: hex(64), state: v.exactOptional(hex(64)) }),
  best: v.exactOptional(
    v.strictObject({ version, checkpoint: hex(64), accuracy: v.number(), loss: v.number() }),
  ),
  study: v.exactOptional(v.pipe(v.string(), v.maxLength(63))),
  clonedFrom: v.exactOptional(hex(32)),
  retainDays: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  deletion: v.exactOptional(v.strictObject({ by: text, reason: text, atMs: time, isDone: v.boolean() })),
});

const ModelSchema: v.GenericSchema<unknown, StoredModel> = v.strictObject({ version, checkpoint: hex(64) });

/** @param version absent: what the keys of all versions begin with */
function modelKey(jobId: string, version?: number): string {
  return `model/${jobId}/${version === undefined ? "" : version.toString().padStart(6, "0")}`;
}

const TokenSchema = v.strictObject({ jobId: hex(32) });

const PREFIX = "job/";
/** Beside each job a key that sorts by its submission: what a page of a list reads. */
const ORDER = "job-order/";
/** Keys that are read at once for a list. */
const ORDER_PAGE = 64;

/** Orders jobs by time of submission, then by id; what a list of jobs goes on after. */
export function jobCursor({ submittedAtMs, jobId }: Pick<JobRecord, "submittedAtMs" | "jobId">): string {
  return `${submittedAtMs.toString().padStart(16, "0")}.${jobId}`;
}
const keyOf = (jobId: string): string => `${PREFIX}${jobId}`;

/** The records of jobs in the metadata role. One process at a time writes a job. */
export class JobStore {
  readonly #metadata: MetadataStore;

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata;
  }

  /** Keeps a new job. @throws StorageError `ERR_STORAGE_EXISTS` when its id is known */
  async create(record: JobRecord): Promise<void> {
    // At once, so that both are one write to the disk. A place without its job is passed over, and the other way round is mended at the start.
    await Promise.all([
      this.#metadata.create(keyOf(record.jobId), encodeRecord(record)),
      this.#metadata.put(ORDER + jobCursor(record), encodeRecord({})),
    ]);
  }

  /** Gives each job its place in the order that has none: of a storage from before there were places, or after a crash. */
  async keepOrder(): Promise<void> {
    const places = new Set((await this.#metadata.list(ORDER)).map(({ key }) => key));
    const missing = (await this.list())
      .map((record) => ORDER + jobCursor(record))
      .filter((key) => !places.has(key));
    await Promise.all(missing.map((key) => this.#metadata.put(key, encodeRecord({}))));
  }

  /**
   * The jobs that were not deleted, the newest first. Reads what is taken of it and no more.
   * @param after cursor of the job before the first; default: from the newest on
   */
  async *newest(after?: string): AsyncGenerator<JobRecord, void, void> {
    let before = after === undefined ? undefined : ORDER + after;
    for (;;) {
      const place = before === undefined ? {} : { before };
      const places = await this.#metadata.list(ORDER, { most: ORDER_PAGE, ...place });
      for (const { key } of places) {
        const record = await this.find(key.slice(key.lastIndexOf(".") + 1));
        const isThere = record !== undefined && record.deletion === undefined;
        if (isThere && ORDER + jobCursor(record) === key) yield record;
      }
      before = places.at(-1)?.key;
      if (places.length < ORDER_PAGE) return;
    }
  }

  /** @throws JobError `ERR_JOB_UNKNOWN`, `ERR_JOB_DELETED` */
  async get(jobId: string): Promise<JobRecord> {
    const record = await this.find(jobId);
    if (record === undefined) throw new JobError("ERR_JOB_UNKNOWN", `there is no job ${jobId}`);
    requireNotDeleted(record);
    return record;
  }

  /** The record of a job, deleted or not; `undefined` when none is known. */
  async find(jobId: string): Promise<JobRecord | undefined> {
    const entry = await this.#metadata.get(keyOf(jobId));
    return entry && decodeRecord(RecordSchema, entry.value, entry.key);
  }

  /** True when the job is known, deleted or not. */
  async has(jobId: string): Promise<boolean> {
    return (await this.#metadata.get(keyOf(jobId))) !== undefined;
  }

  /** Changes some fields of a job durably. @param record as it is kept now @returns the record after it */
  async update(record: JobRecord, fields: Partial<JobRecord>): Promise<JobRecord> {
    const next = { ...record, ...fields };
    await this.#metadata.put(keyOf(record.jobId), encodeRecord(next));
    return next;
  }

  /** Every job that was not deleted, in order of submission. */
  async list(): Promise<readonly JobRecord[]> {
    return (await this.listAll()).filter(({ deletion }) => deletion === undefined);
  }

  /** Every job, deleted ones too, in order of submission. */
  async listAll(): Promise<readonly JobRecord[]> {
    const entries = await this.#metadata.list(PREFIX);
    return entries
      .map(({ key, value }) => decodeRecord(RecordSchema, value, key))
      .sort((a, b) => a.submittedAtMs - b.submittedAtMs || (a.jobId < b.jobId ? -1 : 1));
  }

  /** The job that was submitted under this digest of user and token, if any. */
  async jobOfToken(tokenDigest: string): Promise<string | undefined> {
    const entry = await this.#metadata.get(`submit-token/${tokenDigest}`);
    return entry === undefined ? undefined : decodeRecord(TokenSchema, entry.value, entry.key).jobId;
  }

  /** Ties a submit token to its job. @throws StorageError `ERR_STORAGE_EXISTS` */
  async keepToken(tokenDigest: string, jobId: string): Promise<void> {
    await this.#metadata.create(`submit-token/${tokenDigest}`, encodeRecord({ jobId }));
  }

  /** Notes where a version of the model lies that is kept beside the newest. */
  async keepModel(jobId: string, { version, checkpoint }: StoredModel): Promise<void> {
    await this.#metadata.put(modelKey(jobId, version), encodeRecord({ version, checkpoint }));
  }

  /** Versions that were noted, by number. */
  async models(jobId: string): Promise<readonly StoredModel[]> {
    const entries = await this.#metadata.list(modelKey(jobId));
    return entries.map(({ key, value }) => decodeRecord(ModelSchema, value, key));
  }

  /** Removes view, notes and place of a job; its record stays. */
  async dropNotes(jobId: string): Promise<void> {
    const record = await this.find(jobId);
    if (record !== undefined) await this.#metadata.delete(ORDER + jobCursor(record));
    for (const prefix of [this.viewKey(jobId, ""), modelKey(jobId)]) {
      for (const { key } of await this.#metadata.list(prefix)) await this.#metadata.delete(key);
    }
  }

  /** Where observations of a job are kept: one record a round beside the outline. */
  viewKey(jobId: string, part: string): string {
    return `view/${jobId}/${part}`;
  }

  /** Keeps one part of a job's view. */
  async putView(jobId: string, part: string, value: unknown): Promise<void> {
    await this.#metadata.put(this.viewKey(jobId, part), encodeRecord(value));
  }

  /** All parts of a job's view by name. */
  async viewParts(jobId: string): Promise<ReadonlyMap<string, Bytes>> {
    const prefix = this.viewKey(jobId, "");
    const entries = await this.#metadata.list(prefix);
    return new Map(entries.map(({ key, value }) => [key.slice(prefix.length), value]));
  }
}
