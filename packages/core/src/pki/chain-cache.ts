import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { Certificate } from "./certificate.ts";
import type { VerifiedPath } from "./verify-path.ts";

/** Default number of chains that a cache keeps. */
const DEFAULT_CAPACITY = 4096;

/** A project has one root and an enrolment CA every 90 days. */
const MAX_AUTHORITIES = 8;

/**
 * Paths that were validated, by the digest of all their bytes and the root's, until the first of their certificates
 * expires. A validation costs milliseconds and chains come with every handshake and object.
 */
export class ChainCache {
  readonly #capacity: number;
  readonly #paths = new Map<string, VerifiedPath>();
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

  /** The path, when it was validated before and is valid at `nowMs`. */
  get(key: string, nowMs: number): VerifiedPath | undefined {
    const path = this.#paths.get(key);
    if (path === undefined) return undefined;
    this.#paths.delete(key);
    if (nowMs < path.notBeforeMs || nowMs > path.notAfterMs) return undefined;
    this.#paths.set(key, path); // back in, as the latest asked for
    return path;
  }

  /** The parsed form of a root or CA that was part of a validated path. */
  authority(der: Bytes): Certificate | undefined {
    return this.#authorities.find((authority) => equalBytes(authority.der, der));
  }

  /** Keeps a validated path and its CAs. */
  set(key: string, path: VerifiedPath): void {
    const fresh = [path.root, ...path.authorities].filter(({ der }) => this.authority(der) === undefined);
    this.#authorities = [...fresh, ...this.#authorities].slice(0, MAX_AUTHORITIES);
    this.#paths.set(key, path);
    const oldest = this.#paths.keys().next();
    if (this.#paths.size > this.#capacity && oldest.done === false) this.#paths.delete(oldest.value);
  }
}
