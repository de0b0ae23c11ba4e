import * as v from "valibot";
import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { StorageError, WireError } from "../errors/index.ts";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import type { Clock, MetadataStore } from "../platform/index.ts";

/** A message of a participant that was answered: kept until its task's deadline. */
export interface CommitEntry {
  /** Hex. */
  readonly messageId: string;
  /** SHA-256 of its payload, hex: another one under the same id is a replay. */
  readonly payloadDigest: string;
  readonly jobId: string;
  readonly taskId: string;
  readonly outcome: "accepted" | "refused";
  /** The cause of a refusal, as it was told; empty otherwise. */
  readonly code: string;
  readonly detail: string;
  /** ms since 1970. */
  readonly untilMs: number;
}

/** An upload of which chunks were spilled. */
export interface PartEntry {
  /** Hex: of the message that announced it. */
  readonly messageId: string;
  /** Hex: with the message's id it names the manifest, which comes again with the message. */
  readonly payloadDigest: string;
  /** Hex. */
  readonly streamId: string;
  readonly jobId: string;
  readonly taskId: string;
  /** Bitmap of the chunks, base64url. */
  readonly received: string;
  /** Sealed blob of these chunks, one behind the other. */
  readonly blob: string;
  /** ms since 1970. */
  readonly untilMs: number;
}

interface Stored {
  readonly stateVersion: 1;
  /** Fencing token: rises with each session. */
  readonly fence: number;
  /** Sessions since the last fresh start, newest last, base64url. */
  readonly sessions: readonly string[];
  readonly commits: readonly CommitEntry[];
  readonly parts: readonly PartEntry[];
}

/** Sessions of which a RESUME may name one: an answer may be lost several times in a row. */
const MAX_SESSIONS = 8;
const MAX_COMMITS = 8;
const MAX_PARTS = 8;
/** Attempts to take the record over while an older session is writing to it. */
const MAX_ATTEMPTS = 16;

const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const message = {
  messageId: hex(32),
  payloadDigest: hex(64),
  jobId: hex(32),
  taskId: hex(32),
  untilMs: natural,
};

const StoredSchema: v.GenericSchema<unknown, Stored> = v.strictObject({
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

const PREFIX = "resume/";

/** What {@link ResumeRecords} works with. */
export interface ResumeRecordsModules {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
}

/** Who opens a record, and with which session. */
export interface OpenRecordOptions {
  /** SAN URI of its certificate. */
  readonly urn: string;
  /** Id of the session: 32 bytes. */
  readonly session: Bytes;
  /** Id of an earlier session that it wants to resume. */
  readonly last: Bytes | undefined;
}

/** An opened record. */
export interface OpenedRecord {
  readonly record: ResumeRecord;
  /** False: the session starts fresh. */
  readonly isResumed: boolean;
  /** Blobs that a fresh start leaves without a use. */
  readonly dropped: readonly string[];
}

/** A spilled upload and whose it is. */
export interface StoredPart {
  /** SAN URI of the site. */
  readonly urn: string;
  readonly part: PartEntry;
}

/**
 * What lasts of the sessions of each participant, in shared metadata, so that any server process can go on with it:
 * one record for each SAN URI, written by the newest session only.
 */
export class ResumeRecords {
  readonly #modules: ResumeRecordsModules;
  readonly #current = new Map<string, ResumeRecord>();

  constructor(modules: ResumeRecordsModules) {
    this.#modules = modules;
  }

  /**
   * A session takes the record of its participant over: every older session, here or in another process, cannot write
   * any more.
   * @throws StorageError
   */
  async open(options: OpenRecordOptions): Promise<OpenedRecord> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#takeOver(options);
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** The record of the newest session of a participant in this process. */
  find(urn: string): ResumeRecord | undefined {
    return this.#current.get(urn);
  }

  /** Every spilled upload that storage knows of, of participants whether they came back or not. */
  async storedParts(): Promise<readonly StoredPart[]> {
    const entries = await this.#modules.metadata.list(PREFIX);
    return entries.flatMap(({ key, value }) =>
      decodeRecord(StoredSchema, value, key).parts.map((part) => ({ urn: key.slice(PREFIX.length), part })),
    );
  }

  /** Every spilled upload of the participants that this process has seen. */
  openParts(): readonly StoredPart[] {
    return [...this.#current.values()].flatMap(({ urn, parts }) => parts.map((part) => ({ urn, part })));
  }

  /** Forgets an upload of a participant that may not have come back. @throws as {@link ResumeRecord.dropParts} */
  async dropPart({ urn, part }: StoredPart): Promise<void> {
    await (this.#current.get(urn) ?? (await this.#load(urn)).record).dropParts([part]);
  }

  async #takeOver({ urn, session, last }: OpenRecordOptions): Promise<OpenedRecord> {
    const { metadata, clock } = this.#modules;
    const { record, stored, revision } = await this.#load(urn);
    const nowMs = clock.now();
    const isResumed = last !== undefined && isOneOf(last, stored.sessions);
    const parts = isResumed ? stored.parts.filter(({ untilMs }) => untilMs > nowMs) : [];
    const next: Stored = {
      stateVersion: 1,
      fence: stored.fence + 1,
      sessions: [...(isResumed ? stored.sessions : []), toBase64Url(session)].slice(-MAX_SESSIONS),
      commits: stored.commits.filter(({ untilMs }) => untilMs > nowMs),
      parts,
    };
    const key = PREFIX + urn;
    record.adopt(
      next,
      await (revision === 0 ? create(metadata, key, next) : metadata.put(key, encodeRecord(next), revision)),
    );
    this.#current.set(urn, record);
    const dropped = stored.parts.filter((part) => !parts.includes(part)).map(({ blob }) => blob);
    return { record, isResumed, dropped };
  }

  async #load(urn: string): Promise<{ record: ResumeRecord; stored: Stored; revision: number }> {
    const { metadata } = this.#modules;
    const key = PREFIX + urn;
    const entry = await metadata.get(key);
    const stored = entry === undefined ? NOTHING : decodeRecord(StoredSchema, entry.value, key);
    const revision = entry?.revision ?? 0;
    return { record: new ResumeRecord({ urn, stored, revision }, metadata), stored, revision };
  }
}

const NOTHING: Stored = { stateVersion: 1, fence: 0, sessions: [], commits: [], parts: [] };

/** The record of one participant, as one session may write it. */
export class ResumeRecord {
  /** SAN URI of the participant. */
  readonly urn: string;
  readonly #metadata: MetadataStore;
  #stored: Stored;
  #revision: number;
  #write: Promise<unknown> = Promise.resolve();

  constructor(
    state: { readonly urn: string; readonly stored: Stored; readonly revision: number },
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
  adopt(stored: Stored, revision: number): void {
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

  /** Chunks of an upload were spilled. @returns blobs for which there is no room any more. @throws as dropParts */
  async keepPart(entry: PartEntry): Promise<readonly string[]> {
    let dropped: readonly PartEntry[] = [];
    await this.#change((stored) => {
      const parts = [...stored.parts.filter(({ messageId }) => messageId !== entry.messageId), entry];
      dropped = parts.slice(0, -MAX_PARTS);
      return { ...stored, parts: parts.slice(-MAX_PARTS) };
    });
    return dropped.map(({ blob }) => blob);
  }

  /**
   * Uploads went on, or are not wanted any more.
   * @throws WireError `ERR_SUPERSEDED` when a newer session of the participant has taken over, StorageError
   */
  dropParts(parts: readonly Pick<PartEntry, "messageId">[]): Promise<void> {
    const ids = new Set(parts.map(({ messageId }) => messageId));
    return this.#change((stored) => ({
      ...stored,
      parts: stored.parts.filter(({ messageId }) => !ids.has(messageId)),
    }));
  }

  #change(edit: (stored: Stored) => Stored): Promise<void> {
    const turn = this.#write.then(() => this.#put(edit));
    this.#write = turn.catch(() => undefined); // who called hears of it; the next goes on
    return turn;
  }

  async #put(edit: (stored: Stored) => Stored): Promise<void> {
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

/** A record that somebody else creates at the same time is a conflict like any other. */
async function create(metadata: MetadataStore, key: string, stored: Stored): Promise<number> {
  try {
    return await metadata.create(key, encodeRecord(stored));
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_EXISTS") throw error;
    throw new StorageError("ERR_STORAGE_CONFLICT", `${key} was created meanwhile`);
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof StorageError && error.code === "ERR_STORAGE_CONFLICT";

function isOneOf(session: Bytes, sessions: readonly string[]): boolean {
  return sessions.some((known) => equalBytes(fromBase64Url(known), session));
}
