import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { Certificate } from "./certificate.ts";
import type { RevocationSource } from "./path-rules.ts";
import type { VerifiedPath } from "./verify-path.ts";

/** Default number of chains that a cache keeps. */
const DEFAULT_CAPACITY = 4096;

/** A project has one root and an enrolment CA every 90 days. */
const MAX_AUTHORITIES = 8;

/** What was known about revocation when a path was validated. */
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

interface CachedPath {
  readonly path: VerifiedPath;
  readonly revocation: RevocationState;
}

/**
 * Paths that were validated, by the digest of all their bytes and the root's, until the first of their certificates
 * expires, a new revocation list was taken in, or the one that was asked is out of date. A validation costs
 * milliseconds and chains come with every handshake and object.
 */
export class ChainCache {
  readonly #capacity: number;
  readonly #paths = new Map<string, CachedPath>();
  /** Roots and CAs of validated paths: every other chain of the project holds the same. */
  #authorities: readonly Certificate[] = [];

  /** @param options `capacity`: chains kept (default 4 096); the one not asked for the longest is dropped first */
  constructor(options: { readonly capacity?: number } = {}) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  /** Number of chains held. */
  get size(): number {
    return this.#paths.size;
  }

  /** The path, when it was validated before and nothing has changed since that could make it invalid at `nowMs`. */
  get(key: string, nowMs: number, revocation: RevocationState): VerifiedPath | undefined {
    const cached = this.#paths.get(key);
    if (cached === undefined) return undefined;
    this.#paths.delete(key);
    const { path } = cached;
    const isSame =
      cached.revocation.source === revocation.source && cached.revocation.epoch === revocation.epoch;
    const isValid = nowMs >= path.notBeforeMs && nowMs <= Math.min(path.notAfterMs, path.statusUntilMs);
    if (!isSame || !isValid) return undefined;
    this.#paths.set(key, cached); // back in, as the latest asked for
    return path;
  }

  /** The parsed form of a root or CA that was part of a validated path. */
  authority(der: Bytes): Certificate | undefined {
    return this.#authorities.find((authority) => equalBytes(authority.der, der));
  }

  /** Keeps a validated path and its CAs, with what was known about revocation before its validation. */
  set(key: string, path: VerifiedPath, revocation: RevocationState): void {
    const fresh = [path.root, ...path.authorities].filter(({ der }) => this.authority(der) === undefined);
    this.#authorities = [...fresh, ...this.#authorities].slice(0, MAX_AUTHORITIES);
    this.#paths.set(key, { path, revocation });
    const oldest = this.#paths.keys().next();
    if (this.#paths.size > this.#capacity && oldest.done === false) this.#paths.delete(oldest.value);
  }
}
