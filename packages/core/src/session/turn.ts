import type { Clock } from "../platform/index.ts";

/** Work after which others have their turn, microseconds. */
const TURN_US = 2000;

/** What one session does at a stretch: a full socket holds up nobody else. */
export class Turn {
  readonly #clock: Clock;
  #spentUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Work was done. @param us microseconds of processor, by the session's price list */
  spend(us: number): void {
    this.#spentUs += us;
  }

  /** True when what was done since the last turn took about 2 ms. */
  get isOver(): boolean {
    return this.#spentUs >= TURN_US;
  }

  /** Lets everything else run that is ready. */
  next(): Promise<void> {
    this.#spentUs = 0;
    return this.#clock.yield();
  }
}
