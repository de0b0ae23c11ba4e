import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import type { Clock, MetadataStore } from "../platform/index.ts";
import {
  isConflict,
  MAX_ATTEMPTS,
  MAX_SESSIONS,
  NOTHING,
  type PartEntry,
  PREFIX,
  ResumeRecord,
  type StoredRecord,
  StoredSchema,
} from "./resume-record.ts";

/** What {@link ResumeRecords} works with. */
export interface ResumeRecordsModules {
  /** Shared by all server processes. */
  readonly metadata: MetadataStore;
  /** Time. */
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
  /** As this session may write it. */
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
  /** What was spilled. */
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
    const next: StoredRecord = {
      stateVersion: 1,
      fence: stored.fence + 1,
      sessions: [...(isResumed ? stored.sessions : []), toBase64Url(session)].slice(-MAX_SESSIONS),
      commits: orNothing(stored.commits.filter(({ untilMs }) => untilMs > nowMs)),
      parts: orNothing(parts),
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

  async #load(urn: string): Promise<{ record: ResumeRecord; stored: StoredRecord; revision: number }> {
    const { metadata } = this.#modules;
    const key = PREFIX + urn;
    const entry = await metadata.get(key);
    const stored = entry === undefined ? NOTHING : decodeRecord(StoredSchema, entry.value, key);
    const revision = entry?.revision ?? 0;
    return { record: new ResumeRecord({ urn, stored, revision }, metadata), stored, revision };
  }
}

/** The one empty list, of the many who have nothing under way. */
function orNothing<Item>(items: readonly Item[]): readonly Item[] {
  return items.length === 0 ? NONE : items;
}

const NONE: readonly never[] = [];

/** A record that somebody else creates at the same time is a conflict like any other. */
async function create(metadata: MetadataStore, key: string, stored: StoredRecord): Promise<number> {
  try {
    return await metadata.create(key, encodeRecord(stored));
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_EXISTS") throw error;
    throw new StorageError("ERR_STORAGE_CONFLICT", `${key} was created meanwhile`);
  }
}

function isOneOf(session: Bytes, sessions: readonly string[]): boolean {
  return sessions.some((known) => equalBytes(fromBase64Url(known), session));
}
