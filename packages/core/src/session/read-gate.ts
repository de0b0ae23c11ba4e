import { type Clock, sleep } from "../platform/index.ts";
import type { FrameKind } from "../wire/index.ts";
import type { SessionLimits } from "./options.ts";
import { RateBucket } from "./rate-bucket.ts";
import { Turn } from "./turn.ts";
import { OPENED_KIB_US, workPriceOf } from "./work-price.ts";

/** Slows a peer down whose frames come too fast or cost too much: its transport fills, and it waits. */
export class ReadGate {
  readonly #clock: Clock;
  readonly #frames: RateBucket;
  readonly #work: RateBucket;
  /** What is read at a stretch. */
  readonly turn: Turn;
  #isWaiting = false;

  constructor({ framesPerSecond, workMsPerSecond }: SessionLimits, clock: Clock) {
    this.#clock = clock;
    this.turn = new Turn(clock);
    this.#frames = new RateBucket(framesPerSecond);
    this.#work = new RateBucket(workMsPerSecond * 1000);
  }

  /** True while a frame waits: the peer is not silent then, it is not heard. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** [W-41] one more frame, which nobody has decrypted yet. @returns ms that it waits */
  enter(): number {
    const nowMs = this.#clock.now();
    return Math.max(this.#frames.take(1, nowMs), this.#work.take(0, nowMs));
  }

  /** True when it remembers nothing of the peer: a new one would do the same. */
  get isAtRest(): boolean {
    const nowMs = this.#clock.now();
    return !this.#isWaiting && this.#frames.isFull(nowMs) && this.#work.isFull(nowMs);
  }

  /** Waits. @throws the signal's reason */
  async wait(waitMs: number, signal: AbortSignal): Promise<void> {
    this.#isWaiting = true;
    try {
      await sleep(this.#clock, waitMs, signal);
    } finally {
      this.#isWaiting = false;
    }
  }

  /** An inner frame was decrypted; the next pays for it by waiting. */
  charge(kind: FrameKind, bytes: number): void {
    this.spend(workPriceOf(kind, bytes));
    this.turn.spend((bytes / 1024) * OPENED_KIB_US);
  }

  /** More work than the price of a frame of its kind: it counts as that does. @param us microseconds of processor */
  spend(us: number): void {
    this.#work.take(us, this.#clock.now());
    this.turn.spend(us);
  }
}
