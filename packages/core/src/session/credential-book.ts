import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import type { Clock, CryptoProvider, MetadataStore } from "../platform/index.ts";

/** A challenge may be answered for this long, ms. */
const CHALLENGE_MS = 600_000;
/** Bytes of a challenge. */
const CHALLENGE_BYTES = 32;

const CHALLENGES = "login/challenges/";
const ADMISSIONS = "login/admissions/";

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

  /** @param policy digest of the configuration: what was admitted under another one does not count */
  constructor(policy: Bytes, modules: CredentialBookModules) {
    this.#policy = policy;
    this.#modules = modules;
  }

  /** A fresh challenge for the holder of a certificate, in place of the one before. */
  async issue(leafDigest: Bytes): Promise<Bytes> {
    const { metadata, clock, crypto } = this.#modules;
    const challenge = crypto.randomBytes(CHALLENGE_BYTES);
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
}
