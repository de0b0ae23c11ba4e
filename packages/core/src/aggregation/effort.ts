import type { Clock } from "../platform/index.ts";

/** Multiplications or comparisons between two turns for other work: a few milliseconds in WebAssembly. */
const OPERATIONS_A_TURN = 4_000_000;

/** Counts what a long calculation has done and gives other work a turn in time. */
export class Effort {
  readonly #clock: Clock;
  #spent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param operations that were done since the last call */
  async spend(operations: number): Promise<void> {
    this.#spent += operations;
    if (this.#spent < OPERATIONS_A_TURN) return;
    this.#spent = 0;
    await this.#clock.yield();
  }
}
