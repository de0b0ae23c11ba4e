import * as v from "valibot";
import { StorageError, WireError } from "../errors/index.ts";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import type { MetadataStore } from "../platform/index.ts";

/** A message of a participant that was answered: kept until its task's deadline. */
export interface CommitEntry {
  /** Hex. */
  readonly messageId: string;
  /** SHA-256 of its payload, hex: another one under the same id is a replay. */
  readonly payloadDigest: string;
  /** Job that it answered. */
  readonly jobId: string;
  /** Task that it answered. */
  readonly taskId: string;
  /** What it came to. */
  readonly outcome: "accepted" | "refused";
  /** The cause of a refusal, as it was told; empty otherwise. */
  readonly code: string;
  /** For people, as it was told; at most 500 characters. */
  readonly detail: string;
  /** Deadline of the task, ms since 1970. */
  readonly untilMs: number;
}

/** An upload of which chunks were spilled. */
export interface PartEntry {
  /** Hex: of the message that announced it. */
  readonly messageId: string;
  /** Hex: with the message's id it names the manifest, which comes again with the message. */
  readonly payloadDigest: string;
  /** Id of the stream, hex. */
  readonly streamId: string;
  /** Job that it is for. */
  readonly jobId: string;
  /** Task that it is for. */
  readonly taskId: string;
  /** Bitmap of the chunks, base64url. */
  readonly received: string;
  /** Sealed blob of these chunks, one behind the other. */
  readonly blob: string;
  /** Deadline of the task, ms since 1970. */
  readonly untilMs: number;
}

/** What is stored of a participant. */
export interface StoredRecord {
  /** Version of the stored form. */
  readonly stateVersion: 1;
  /** Fencing token: rises with each session. */
  readonly fence: number;
  /** Sessions since the last fresh start, newest last, base64url. */
  readonly sessions: readonly string[];
  /** The newest last. */
  readonly commits: readonly CommitEntry[];
  /** The newest last. */
  readonly parts: readonly PartEntry[];
}

/** Sessions of which a RESUME may name one: an answer may be lost several times in a row. */
export const MAX_SESSIONS = 8;
const MAX_COMMITS = 8;
const MAX_PARTS = 8;
/** Attempts to take the record over while an older session is writing to it. */
export const MAX_ATTEMPTS = 16;

const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const message = {
  messageId: hex(32),
  payloadDigest: hex(64),
  jobId: hex(32),
  taskId: hex(32),
  untilMs: natural,
};

/** A record as it is read back. */
export const StoredSchema: v.GenericSchema<unknown, StoredRecord> = v.strictObject({
  stateVersion: v.literal(1),
  fence: natural,
  sessions: v.pipe(v.array(v.pipe(v.string(), v.length(43))), v.maxLength(MAX_SESSIONS)),
  commits: v.pipe(
    v.array(
      v.strictObject({
        ...message,
        outcome: v.picklist(["accepted", "refused"]),
        code: v.pipe(v.string(), v.maxLength(64)),
        detail: v.pipe(v.string(), v.maxLength(500)),
      }),
    ),
    v.maxLength(MAX_COMMITS),
  ),
  parts: v.pipe(
    v.array(
      v.strictObject({
        ...message,
        streamId: hex(32),
        received: v.pipe(v.string(), v.maxLength(2731)),
        blob: hex(64),
      }),
    ),
    v.maxLength(MAX_PARTS),
  ),
});

/** Where records are kept: behind it stands the SAN URI. */
export const PREFIX = "resume/";

/** Of a participant that was never here. */
export const NOTHING: StoredRecord = { stateVersion: 1, fence: 0, sessions: [], commits: [], parts: [] };

/** The record of one participant, as one session may write it. */
export class ResumeRecord {
  /** SAN URI of the participant. */
  readonly urn: string;
  readonly #metadata: MetadataStore;
  #stored: StoredRecord;
  #revision: number;
  /** The write that is under way. */
  #write: Promise<unknown> | undefined;

  constructor(
    state: { readonly urn: string; readonly stored: StoredRecord; readonly revision: number },
    metadata: MetadataStore,
  ) {
    this.urn = state.urn;
    this.#stored = state.stored;
    this.#revision = state.revision;
    this.#metadata = metadata;
  }

  /** The session's fencing token. */
  get fence(): number {
    return this.#stored.fence;
  }

  /** Messages that were answered. */
  get commits(): readonly CommitEntry[] {
    return this.#stored.commits;
  }

  /** Uploads that were spilled. */
  get parts(): readonly PartEntry[] {
    return this.#stored.parts;
  }

  /** What is known of a message by its id in hex. */
  digestOf(messageId: string): string | undefined {
    const isIt = (entry: { readonly messageId: string }): boolean => entry.messageId === messageId;
    return (this.commits.find(isIt) ?? this.parts.find(isIt))?.payloadDigest;
  }

  /** The record as it was just written. */
  adopt(stored: StoredRecord, revision: number): void {
    this.#stored = stored;
    this.#revision = revision;
  }

  /** A message was answered; what is over by `nowMs` is forgotten. @throws as {@link ResumeRecord.dropParts} */
  commit(entry: CommitEntry, nowMs: number): Promise<void> {
    return this.#change((stored) => {
      const others = stored.commits.filter(
        ({ messageId, untilMs }) => messageId !== entry.messageId && untilMs > nowMs,
      );
      return { ...stored, commits: [...others, entry].slice(-MAX_COMMITS) };
    });
  }

  /** Chunks of the upload for a task were spilled. @returns blobs that it replaces, or that have no room. @throws as dropParts */
  async keepPart(entry: PartEntry): Promise<readonly string[]> {
    let dropped: readonly PartEntry[] = [];
    await this.#change((stored) => {
      const others = stored.parts.filter(({ taskId }) => taskId !== entry.taskId);
      const parts = [...others, entry].slice(-MAX_PARTS);
      dropped = stored.parts.filter((part) => !parts.includes(part));
      return { ...stored, parts };
    });
    return dropped.map(({ blob }) => blob);
  }

  /**
   * Uploads went on, or are not wanted any more.
   * @throws WireError `ERR_SUPERSEDED` when a newer session of the participant has taken over, StorageError
   */
  dropParts(parts: readonly Pick<PartEntry, "messageId" | "streamId">[]): Promise<void> {
    const ids = new Set(parts.map(({ messageId, streamId }) => `${messageId} ${streamId}`));
    return this.#change((stored) => ({
      ...stored,
      parts: stored.parts.filter(({ messageId, streamId }) => !ids.has(`${messageId} ${streamId}`)),
    }));
  }

  #change(edit: (stored: StoredRecord) => StoredRecord): Promise<void> {
    const turn = (this.#write ?? Promise.resolve()).then(() => this.#put(edit));
    const write: Promise<void> = turn
      .catch(() => undefined) // who called hears of it; the next goes on
      .then(() => {
        if (this.#write === write) this.#write = undefined;
      });
    this.#write = write;
    return turn;
  }

  async #put(edit: (stored: StoredRecord) => StoredRecord): Promise<void> {
    const key = PREFIX + this.urn;
    for (let attempt = 1; ; attempt++) {
      const next = edit(this.#stored);
      try {
        this.adopt(next, await this.#metadata.put(key, encodeRecord(next), this.#revision));
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        await this.#reload(key);
      }
    }
  }

  /** Another write came between: by somebody with our fencing token it is adopted, by a newer session it is the end. */
  async #reload(key: string): Promise<void> {
    const entry = await this.#metadata.get(key);
    const stored = entry === undefined ? undefined : decodeRecord(StoredSchema, entry.value, key);
    // [W-122]
    if (entry === undefined || stored?.fence !== this.fence) {
      throw new WireError("ERR_SUPERSEDED", "a newer session of this participant has taken over");
    }
    this.adopt(stored, entry.revision);
  }
}

/** True when somebody else changed the record meanwhile. */
export const isConflict = (error: unknown): boolean =>
  error instanceof StorageError && error.code === "ERR_STORAGE_CONFLICT";
