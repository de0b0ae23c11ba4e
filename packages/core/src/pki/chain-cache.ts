import { type Bytes, equalBytes, packBytes, unpackBytes } from "../bytes/index.ts";
import type { VerifyingKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import type { Participant } from "./participant.ts";
import type { RevocationSource } from "./path-rules.ts";
import type { VerifiedChain } from "./verify-chain.ts";

/** Default number of chains that a cache keeps. */
const DEFAULT_CAPACITY = 4096;

/** A project has one root and an enrolment CA every 90 days. */
const MAX_AUTHORITIES = 8;

/** What was known about revocation when a chain was validated. */
export interface RevocationState {
  /** Who was asked. */
  readonly source: RevocationSource | undefined;
  /** Number of the source's state at that time. */
  readonly epoch: number | undefined;
}

/** The state of a source now. Read it before a validation begins: a list that comes meanwhile is then not missed. */
export function revocationState(source: RevocationSource | undefined): RevocationState {
  return { source, epoch: source?.epoch };
}

/** What is remembered of a chain: who it belongs to, and until when. Its certificates are not: they are 3 KiB parsed. */
export interface KnownChain extends VerifiedChain {
  /** From when on all certificates are valid, ms since 1970. */
  readonly notBeforeMs: number;
  /** Until when the revocation lists that name none of them are to be believed, ms since 1970. */
  readonly statusUntilMs: number;
}

/**
 * A {@link KnownChain} as a cache holds thousands of: what bytes it has are strings, as each part of the leaf would keep the
 * whole of it.
 */
export class PackedChain implements KnownChain {
  readonly participant: Participant;
  readonly verifyingKey: VerifyingKey;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly statusUntilMs: number;
  readonly #publicKey: string;
  readonly #inviteDigest: string | undefined;

  constructor(chain: KnownChain) {
    this.participant = chain.participant;
    this.verifyingKey = chain.verifyingKey;
    this.notBeforeMs = chain.notBeforeMs;
    this.notAfterMs = chain.notAfterMs;
    this.statusUntilMs = chain.statusUntilMs;
    this.#publicKey = packBytes(chain.publicKey);
    this.#inviteDigest = chain.inviteDigest && packBytes(chain.inviteDigest);
  }

  get publicKey(): Bytes {
    return unpackBytes(this.#publicKey);
  }

  get inviteDigest(): Bytes | undefined {
    return this.#inviteDigest === undefined ? undefined : unpackBytes(this.#inviteDigest);
  }
}

/** A chain that was validated just now. */
export interface ProvedChain {
  /** What is remembered of it. */
  readonly chain: KnownChain;
  /** The root, and the CAs between it and the leaf, the leaf's issuer first. */
  readonly authorities: readonly Certificate[];
}

interface CachedChain {
  readonly chain: KnownChain;
  readonly revocation: RevocationState;
}

/**
 * Chains that were validated, by the digest of all their bytes and the root's, until the first of their certificates
 * expires, a new revocation list was taken in, or the one that was asked is out of date. A validation costs
 * milliseconds and chains come with every handshake and object.
 */
export class ChainCache {
  readonly #capacity: number;
  readonly #chains = new Map<string, CachedChain>();
  /** Roots and CAs of validated chains: every other chain of the project holds the same. */
  #authorities: readonly Certificate[] = [];
  /** Of each such CA the one among them whose signature on it has verified. */
  readonly #issuers = new WeakMap<Certificate, Certificate>();

  /** @param options `capacity`: chains kept (default 4 096); the one not asked for the longest is dropped first */
  constructor(options: { readonly capacity?: number } = {}) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  /** Number of chains held. */
  get size(): number {
    return this.#chains.size;
  }

  /** The chain, when it was validated before and nothing has changed since that could make it invalid at `nowMs`. */
  get(key: string, nowMs: number, revocation: RevocationState): KnownChain | undefined {
    const cached = this.#chains.get(key);
    if (cached === undefined) return undefined;
    this.#chains.delete(key);
    const { chain } = cached;
    const isSame =
      cached.revocation.source === revocation.source && cached.revocation.epoch === revocation.epoch;
    const isValid = nowMs >= chain.notBeforeMs && nowMs <= Math.min(chain.notAfterMs, chain.statusUntilMs);
    if (!isSame || !isValid) return undefined;
    this.#chains.set(key, cached); // back in, as the latest asked for
    return chain;
  }

  /** The parsed form of a root or CA that was part of a validated chain. */
  authority(der: Bytes): Certificate | undefined {
    return this.#authorities.find((authority) => equalBytes(authority.der, der));
  }

  /**
   * True when the signature of `issuer` on `certificate` has verified before. Both are what {@link authority} gave: the
   * same objects, which nobody changes, so that nothing has to be compared. Says nothing of validity and revocation.
   */
  isIssued(certificate: Certificate, issuer: Certificate): boolean {
    return this.#issuers.get(certificate) === issuer;
  }

  /** Keeps a validated chain and its CAs, with what was known about revocation before its validation. */
  set(key: string, { chain, authorities }: ProvedChain, revocation: RevocationState): void {
    const fresh = authorities.filter(({ der }) => this.authority(der) === undefined);
    this.#authorities = [...fresh, ...this.#authorities].slice(0, MAX_AUTHORITIES);
    this.#keepIssuers(authorities);
    this.#chains.set(key, { chain, revocation });
    const oldest = this.#chains.keys().next();
    if (this.#chains.size > this.#capacity && oldest.done === false) this.#chains.delete(oldest.value);
  }

  /** @param authorities of one valid path, the root first, then from the leaf's issuer up */
  #keepIssuers([root, ...between]: readonly Certificate[]): void {
    for (const [index, { der }] of between.entries()) {
      const certificate = this.authority(der);
      const issuer = this.authority((between[index + 1] ?? root)?.der ?? der);
      if (certificate !== undefined && issuer !== undefined) this.#issuers.set(certificate, issuer);
    }
  }
}
