import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { StorageError } from "../errors/index.ts";
import type { Clock, CryptoProvider, MetadataStore } from "../platform/index.ts";

/** A challenge may be answered for this long, ms. */
const CHALLENGE_MS = 600_000;
/** Bytes of a challenge. */
const CHALLENGE_BYTES = 32;

const CHALLENGES = "login/challenges/";
const ADMISSIONS = "login/admissions/";

/** How often records that have run out are looked for, ms: some hundred bytes of each certificate that came meanwhile. */
const SWEEP_MS = 3_600_000;

/** In place of a challenge that was answered: one that has run out. */
const SPENT = writePositional([new Uint8Array(CHALLENGE_BYTES), 0]);

/** What a {@link CredentialBook} works with. */
export interface CredentialBookModules {
  /** Shared by all gateways of a server: a challenge is good once, wherever it is answered. */
  readonly metadata: MetadataStore;
  /** Time. */
  readonly clock: Clock;
  /** Randomness of challenges. */
  readonly crypto: CryptoProvider;
}

/**
 * Challenges that were given out and admissions that still hold, one of each a certificate, so that a stranger fills
 * nothing and a site that reconnects within the time of its credential is not sent to the identity provider again.
 */
export class CredentialBook {
  readonly #policy: Bytes;
  readonly #modules: CredentialBookModules;
  #nextSweepMs = 0;

  /** @param policy digest of the configuration: what was admitted under another one does not count */
  constructor(policy: Bytes, modules: CredentialBookModules) {
    this.#policy = policy;
    this.#modules = modules;
  }

  /** A fresh challenge for the holder of a certificate, in place of the one before. */
  async issue(leafDigest: Bytes): Promise<Bytes> {
    const { metadata, clock, crypto } = this.#modules;
    const challenge = crypto.randomBytes(CHALLENGE_BYTES);
    await this.#sweep();
    const record = writePositional([challenge, Math.trunc(clock.now()) + CHALLENGE_MS]);
    await metadata.put(CHALLENGES + toHex(leafDigest), record);
    return challenge;
  }

  /**
   * The challenge of a certificate, which nobody gets a second time; `undefined` when none is open.
   * @throws StorageError `ERR_STORAGE_CONFLICT` when another login takes it at the same time
   */
  async take(leafDigest: Bytes): Promise<Bytes | undefined> {
    const { metadata, clock } = this.#modules;
    const entry = await metadata.get(CHALLENGES + toHex(leafDigest));
    if (entry === undefined) return undefined;
    // By its revision: of two logins that answer the same challenge at once, one meets a conflict.
    await metadata.put(entry.key, SPENT, entry.revision);
    const { challenge, untilMs } = readPositional(entry.value, (reader) => ({
      challenge: reader.bin(CHALLENGE_BYTES),
      untilMs: reader.uint(),
    }));
    return clock.now() < untilMs ? challenge : undefined;
  }

  /** Notes until when the holder of a certificate is admitted, ms since 1970. */
  async admit(leafDigest: Bytes, untilMs: number): Promise<void> {
    await this.#sweep();
    const record = writePositional([this.#policy, Math.trunc(untilMs)]);
    await this.#modules.metadata.put(ADMISSIONS + toHex(leafDigest), record);
  }

  /** Until when the holder of a certificate is admitted; `undefined` when it is not, or under another configuration. */
  async admittedUntil(leafDigest: Bytes): Promise<number | undefined> {
    const entry = await this.#modules.metadata.get(ADMISSIONS + toHex(leafDigest));
    if (entry === undefined) return undefined;
    const { policy, untilMs } = readPositional(entry.value, (reader) => ({
      policy: reader.bin(32),
      untilMs: reader.uint(),
    }));
    const holds = equalBytes(policy, this.#policy) && this.#modules.clock.now() < untilMs;
    return holds ? untilMs : undefined;
  }

  /** Deletes what has run out, once an hour at most: certificates end, and their records with them. */
  async #sweep(): Promise<void> {
    const { metadata, clock } = this.#modules;
    const nowMs = clock.now();
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_MS;
    for (const prefix of [CHALLENGES, ADMISSIONS]) {
      for (const { key, value, revision } of await metadata.list(prefix)) {
        if (untilMsOf(value) <= nowMs) await deleteUnchanged(metadata, key, revision);
      }
    }
  }
}

/** Of a challenge or of an admission. */
function untilMsOf(record: Bytes): number {
  return readPositional(record, (reader) => {
    reader.bin(32);
    return reader.uint();
  });
}

/** What another gateway has written meanwhile stays. */
async function deleteUnchanged(metadata: MetadataStore, key: string, revision: number): Promise<void> {
  try {
    await metadata.delete(key, revision);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_CONFLICT") throw error;
  }
}
