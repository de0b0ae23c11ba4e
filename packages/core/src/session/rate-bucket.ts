import type { Clock } from "../platform/index.ts";

/** What a peer may use at once before the rate counts: this many seconds' worth. */
const BURST_SECONDS = 2;

/** A token bucket: how long the reader waits so that a peer keeps to its rate. */
export class RateBucket {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;

  /** @param perSecond on average */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond * BURST_SECONDS;
    this.#filledMs = clock.now();
  }

  /** Takes so much, more than there is if need be. @returns ms until nothing is owed; 0 within the rate */
  take(amount: number): number {
    const nowMs = this.#clock.now();
    const filled = this.#tokens + ((nowMs - this.#filledMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(filled, this.#perSecond * BURST_SECONDS) - amount;
    this.#filledMs = nowMs;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#perSecond) * 1000);
  }
}
