import * as v from "valibot";
import { type Bytes, toHex } from "../bytes/index.ts";
import { MAX_OBJECT_LIFETIME_MS, TOKEN_LIFETIME_MS } from "../envelope/index.ts";
import { type ErrorCode, StorageError } from "../errors/index.ts";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import type { Clock, MetadataStore } from "../platform/index.ts";
import type { RevokingCode } from "../session/index.ts";
import { isConflict, MAX_ATTEMPTS } from "./resume-record.ts";

/** Where revoked tokens stand: behind it the id of their session in hex. */
const PREFIX = "revoked-token/";

/** Ends of a session after which its tokens count no more, wherever they are shown, and for how long that is kept, ms. */
const KEPT_MS: readonly (readonly [RevokingCode, number])[] = [
  // Its successor goes on with what it had; the tokens themselves expire.
  ["ERR_SUPERSEDED", TOKEN_LIFETIME_MS],
  // Nothing that it had may be gone on with: for as long as the longest task and the longest job last.
  ["ERR_REVOKED", MAX_OBJECT_LIFETIME_MS],
  ["ERR_SUSPENDED", MAX_OBJECT_LIFETIME_MS],
  ["ERR_FORBIDDEN", MAX_OBJECT_LIFETIME_MS],
];

interface StoredRevocation {
  readonly stateVersion: 1;
  readonly code: RevokingCode;
  readonly untilMs: number;
}

const StoredSchema: v.GenericSchema<unknown, StoredRevocation> = v.strictObject({
  stateVersion: v.literal(1),
  code: v.picklist(KEPT_MS.map(([code]) => code)),
  untilMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** What {@link TokenRevocations} works with. */
export interface TokenRevocationsModules {
  /** Shared by all gateways. */
  readonly metadata: MetadataStore;
  /** Time. */
  readonly clock: Clock;
}

/**
 * The tokens that count no more before they expire, in the metadata that all gateways share. A token is bound to its
 * session, so what is kept is the session's id.
 */
export class TokenRevocations {
  readonly #modules: TokenRevocationsModules;

  constructor(modules: TokenRevocationsModules) {
    this.#modules = modules;
  }

  /**
   * A session was ended for `code`; nothing is kept of an end that revokes nothing. Of two reasons the one counts that
   * lasts longer, whoever writes first.
   */
  async ended(session: Bytes, code: ErrorCode): Promise<void> {
    const [revoking, keptMs] = KEPT_MS.find(([known]) => known === code) ?? [];
    if (revoking === undefined || keptMs === undefined) return;
    const { metadata, clock } = this.#modules;
    const key = PREFIX + toHex(session);
    const stored: StoredRevocation = {
      stateVersion: 1,
      code: revoking,
      untilMs: Math.trunc(clock.now()) + keptMs,
    };
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const present = await metadata.get(key);
      if (present !== undefined && decodeRecord(StoredSchema, present.value, key).untilMs >= stored.untilMs) {
        return;
      }
      if (await this.#write(key, stored, present?.revision)) return;
    }
    throw new StorageError("ERR_STORAGE_CONFLICT", `${key} is written by many`);
  }

  /** @returns false when somebody else wrote meanwhile */
  async #write(key: string, stored: StoredRevocation, revision: number | undefined): Promise<boolean> {
    const { metadata } = this.#modules;
    try {
      if (revision === undefined) await metadata.create(key, encodeRecord(stored));
      else await metadata.put(key, encodeRecord(stored), revision);
      return true;
    } catch (error) {
      const isRace =
        isConflict(error) || (error instanceof StorageError && error.code === "ERR_STORAGE_EXISTS");
      if (!isRace) throw error;
      return false;
    }
  }

  /** Why the tokens of a session count no more; `undefined` while they do. */
  async codeOf(session: Bytes): Promise<RevokingCode | undefined> {
    const { metadata, clock } = this.#modules;
    const key = PREFIX + toHex(session);
    const entry = await metadata.get(key);
    if (entry === undefined) return undefined;
    const { code, untilMs } = decodeRecord(StoredSchema, entry.value, key);
    return untilMs <= clock.now() ? undefined : code;
  }

  /** True when a new session of the same participant may go on with what this one had. */
  async mayResume(session: Bytes): Promise<boolean> {
    const code = await this.codeOf(session);
    return code === undefined || code === "ERR_SUPERSEDED";
  }

  /** Forgets what has expired. */
  async sweep(): Promise<void> {
    const { metadata, clock } = this.#modules;
    for (const { key, value } of await metadata.list(PREFIX)) {
      if (decodeRecord(StoredSchema, value, key).untilMs <= clock.now()) await metadata.delete(key);
    }
  }
}
