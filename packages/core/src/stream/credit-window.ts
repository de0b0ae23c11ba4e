import type { Clock } from "../platform/index.ts";

/** Where a stream begins that nothing is known of: 1 MiB. */
const FIRST_BYTES = 1_048_576;
/** Chunks that are under way at least: one is written while the next one comes. */
const LEAST_CHUNKS = 2;
/** Time beyond the way itself for which there should be chunks at hand, ms: turns of both sides, and their clocks. */
const SLACK_MS = 10;
/** The rate is taken over this time at least, ms: clocks tell milliseconds. */
const MEASURE_MS = 10;
/** After this time the way is measured anew, ms. */
const WAY_AGE_MS = 10_000;

/** Options of {@link CreditWindow}. */
export interface CreditWindowOptions {
  /** Most bytes that are granted and not written; at least one chunk. */
  readonly mostBytes: number;
  /** Bytes of a chunk. */
  readonly chunkBytes: number;
  /** What a stream over the same way came to. Default: 1 MiB. */
  readonly firstBytes?: number | undefined;
}

interface Grant {
  /** Bytes that were granted before it. */
  readonly fromBytes: number;
  readonly atMs: number;
  /** True: little was under way when it was granted. */
  readonly isProbe: boolean;
}

/**
 * How much a receiver lets a sender have under way. Whatever is under way stands before the sender's other messages, so
 * it is no more than keeps the way full: twice what arrives while a grant goes out and its first chunk comes back. The
 * factor lets a window that is too small grow, and the shortest of these times counts, in which nothing stood in a
 * queue (Cardwell et al. 2017, BBR, whose receiver this is). It never exceeds the limit of the session.
 */
export class CreditWindow {
  readonly #mostBytes: number;
  readonly #leastBytes: number;
  readonly #clock: Clock;
  #bytes: number;
  #grantedBytes = 0;
  #arrivedBytes = 0;
  /** Grants whose first chunk has not come. */
  #grants: Grant[] = [];
  /** Shortest time from a grant to its first chunk, ms, and when it was measured. */
  #wayMs = Number.POSITIVE_INFINITY;
  #wayAtMs = 0;
  /** True: little is granted, so that the next time to be measured is that of the way alone. */
  #isProbing = false;
  #bytesPerMs = 0;
  #measure: { readonly sinceMs: number; readonly arrivedBytes: number } | undefined;

  constructor({ mostBytes, chunkBytes, firstBytes = FIRST_BYTES }: CreditWindowOptions, clock: Clock) {
    this.#clock = clock;
    this.#mostBytes = Math.max(mostBytes, chunkBytes);
    this.#leastBytes = Math.min(LEAST_CHUNKS * chunkBytes, this.#mostBytes);
    this.#bytes = this.#bounded(firstBytes);
  }

  /** Most bytes that may be granted and not written now. */
  get bytes(): number {
    return this.#isProbing ? this.#leastBytes : this.#bytes;
  }

  /** What a next stream over the same way begins with; nothing while nothing was learned. */
  get learnedBytes(): number | undefined {
    return this.#bytesPerMs > 0 ? this.#bytes : undefined;
  }

  /** So many bytes were granted. */
  granted(bytes: number): void {
    const atMs = this.#clock.now();
    this.#grants.push({ fromBytes: this.#grantedBytes, atMs, isProbe: this.#isProbing });
    this.#grantedBytes += bytes;
  }

  /** So many bytes of what was granted came. */
  arrived(bytes: number): void {
    const nowMs = this.#clock.now();
    this.#arrivedBytes += bytes;
    this.#measureWay(nowMs);
    this.#measureRate(nowMs);
  }

  #measureWay(nowMs: number): void {
    const [grant] = this.#grants;
    if (grant !== undefined && this.#arrivedBytes > grant.fromBytes) {
      this.#grants.shift();
      const wayMs = Math.max(1, nowMs - grant.atMs);
      if (wayMs <= this.#wayMs || grant.isProbe) {
        this.#wayMs = wayMs;
        this.#wayAtMs = nowMs;
      }
      if (grant.isProbe) this.#isProbing = false;
    }
    if (nowMs - this.#wayAtMs > WAY_AGE_MS && this.#bytesPerMs > 0) this.#isProbing = true;
  }

  /** A rise counts at once; what one slow moment looks like is forgotten as slowly as it may be wrong. */
  #measureRate(nowMs: number): void {
    this.#measure ??= { sinceMs: nowMs, arrivedBytes: this.#arrivedBytes };
    const { sinceMs, arrivedBytes } = this.#measure;
    const elapsedMs = nowMs - sinceMs;
    if (elapsedMs < MEASURE_MS || elapsedMs < this.#wayMs) return;
    const bytesPerMs = (this.#arrivedBytes - arrivedBytes) / elapsedMs;
    const change = bytesPerMs - this.#bytesPerMs;
    this.#bytesPerMs += change > 0 ? change : change / 4;
    this.#measure = { sinceMs: nowMs, arrivedBytes: this.#arrivedBytes };
    this.#bytes = this.#bounded(this.#leastBytes + this.#bytesPerMs * (2 * this.#wayMs + SLACK_MS));
  }

  #bounded(bytes: number): number {
    return Math.min(this.#mostBytes, Math.max(this.#leastBytes, Math.floor(bytes)));
  }
}
