import type { Clock, Timer } from "../platform/index.ts";

/** Something that becomes due, over and over: what it needs for that it carries itself. */
export interface Due {
  /** When it is due, ms since 1970; set by {@link SharedTimer.set}. */
  dueMs: number;
  /** Where it stands in the heap of its timer, which alone writes this; -1: it waits for nothing. */
  place: number;
  /** Called once at its time; must not throw. */
  due(): void;
}

/**
 * One timer of the clock for thousands that wait: a binary heap of those who wait, by their time. A timer of its own
 * takes each of them 350 bytes in Node, and this a place in an array.
 */
export class SharedTimer {
  readonly #clock: Clock;
  readonly #heap: Due[] = [];
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `due.due()` in so many ms, and at no other time that was set before. */
  set(due: Due, delayMs: number): void {
    this.#remove(due);
    due.dueMs = this.#clock.now() + delayMs;
    this.#put(due, this.#heap.length);
    this.#up(due);
    this.#wind();
  }

  /** It waits no more. Idempotent. */
  cancel(due: Due): void {
    this.#remove(due);
    this.#wind();
  }

  /** The timer of the clock is set to the first who waits. */
  #wind(): void {
    const atMs = this.#heap[0]?.dueMs;
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (atMs === undefined) return;
    const timer = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => this.#ring());
    this.#timer = { atMs, timer };
  }

  /** One after another: whoever is due may set or cancel others. */
  #ring(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.#remove(first);
      first.due();
    }
    this.#wind();
  }

  #remove(due: Due): void {
    const { place } = due;
    if (place < 0) return;
    due.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === due) return;
    this.#put(last, place);
    this.#up(last);
    this.#down(last);
  }

  #put(due: Due, place: number): void {
    this.#heap[place] = due;
    due.place = place;
  }

  #up(due: Due): void {
    while (due.place > 0) {
      const parent = this.#heap[(due.place - 1) >> 1];
      if (parent === undefined || parent.dueMs <= due.dueMs) return;
      this.#swap(due, parent);
    }
  }

  #down(due: Due): void {
    for (;;) {
      const left = this.#heap[2 * due.place + 1];
      const right = this.#heap[2 * due.place + 2];
      const earlier = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (earlier === undefined || earlier.dueMs >= due.dueMs) return;
      this.#swap(due, earlier);
    }
  }

  #swap(one: Due, other: Due): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }
}
