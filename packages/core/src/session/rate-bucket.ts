/** What a peer may use at once before the rate counts: this many ms' worth. */
const BURST_MS = 2000;

/**
 * A token bucket, as the time at which it is full again: one number, as a server holds two of them for each of thousands
 * of sessions. How long the reader waits so that a peer keeps to its rate.
 */
export class RateBucket {
  readonly #perMs: number;
  #fullMs = 0;

  /** @param perSecond on average */
  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
  }

  /** Takes so much, more than there is if need be. @returns ms until nothing is owed; 0 within the rate */
  take(amount: number, nowMs: number): number {
    this.#fullMs = Math.max(this.#fullMs, nowMs) + amount / this.#perMs;
    return Math.max(0, Math.ceil(this.#fullMs - nowMs - BURST_MS));
  }

  /** True when nothing of it is taken: one that is new is the same. */
  isFull(nowMs: number): boolean {
    return this.#fullMs <= nowMs;
  }
}
