import type { Clock, Timer } from "../platform/index.ts";
import { afterMicrotasks } from "./macrotask.ts";

/** Options of {@link virtualClock}. */
export interface VirtualClockOptions {
  /** Time at the start, milliseconds since 1970 UTC. Default 2026-01-01T00:00:00Z. */
  readonly startMs?: number;
  /**
   * Waits until all work that needs no time is done. Default: one turn of the event loop, which is enough for
   * everything that stays in microtasks (synchronous crypto). For WebCrypto pass `trackCrypto(...).settled`.
   */
  readonly settle?: () => Promise<void>;
}

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /** Lets `durationMs` (>= 0) pass: runs timers that become due in order, and what they set off, each at its time. */
  advance(durationMs: number): Promise<void>;
  /**
   * Lets time pass, from timer to timer, until `promise` settles.
   * @returns what it resolves to
   * @throws what it rejects with; Error when it is still open after `limitMs` (default one hour) or when nothing is
   *   scheduled that could settle it
   */
  runUntil<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** Lets everything run that needs no time. */
  settle(): Promise<void>;
  /** When the next timer is due, if any is set. */
  readonly nextTimerMs: number | undefined;
  /** Timers that have neither fired nor been cancelled: 0 when everything has been stopped. */
  readonly pendingTimers: number;
}

interface PendingTimer {
  readonly dueMs: number;
  /** Order of setting; breaks ties, as the event loop does. */
  readonly sequence: number;
  readonly callback: () => void;
}

/** Turns of the event loop that {@link VirtualClock.runUntil} waits for work outside the clock before it gives up. */
const IDLE_TURNS = 2000;

/** A {@link VirtualClock} for tests and the simulator. */
export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const settle = options.settle ?? afterMicrotasks;
  const timers = new TimerHeap();
  let nowMs = options.startMs ?? Date.UTC(2026, 0, 1);
  let sequence = 0;

  const fireNext = async (): Promise<void> => {
    const timer = timers.pop();
    if (timer === undefined) return;
    nowMs = Math.max(nowMs, timer.dueMs);
    timer.callback();
    await settle();
  };

  const advanceTo = async (endMs: number): Promise<void> => {
    await settle();
    for (let due = timers.peek(); due !== undefined && due.dueMs <= endMs; due = timers.peek())
      await fireNext();
    nowMs = Math.max(nowMs, endMs);
  };

  return {
    now: () => nowMs,
    after(delayMs, callback): Timer {
      if (!(delayMs >= 0)) throw new RangeError(`a delay is at least 0 ms, got ${delayMs}`);
      const timer: PendingTimer = { dueMs: nowMs + delayMs, sequence: sequence++, callback };
      timers.push(timer);
      return { cancel: () => timers.remove(timer) };
    },
    yield: () => Promise.resolve(),
    async advance(durationMs): Promise<void> {
      if (!(durationMs >= 0)) throw new RangeError(`time only moves forward, got ${durationMs} ms`);
      await advanceTo(nowMs + durationMs);
    },
    async runUntil<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
      let open = true;
      const close = (): void => {
        open = false;
      };
      promise.then(close, close);
      const endMs = nowMs + limitMs;
      let idleTurns = 0;
      await settle();
      while (open) {
        const next = timers.peek();
        if (next !== undefined && next.dueMs > endMs) throw new Error(`still open after ${limitMs} ms`);
        if (next === undefined) {
          if (++idleTurns > IDLE_TURNS) throw new Error("nothing is scheduled that could settle the promise");
          await settle(); // what is under way meanwhile counts for one turn, however slow the machine is
        } else {
          await fireNext();
        }
      }
      return await promise;
    },
    settle,
    get nextTimerMs() {
      return timers.peek()?.dueMs;
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}

/** Binary heap by due time, then by order of setting. Cancelled timers leave at once, so that it never grows by them. */
class TimerHeap {
  readonly #heap: PendingTimer[] = [];
  readonly #index = new Map<PendingTimer, number>();

  get size(): number {
    return this.#heap.length;
  }

  peek(): PendingTimer | undefined {
    return this.#heap[0];
  }

  push(timer: PendingTimer): void {
    this.#place(timer, this.#heap.length);
    this.#up(this.#heap.length - 1);
  }

  pop(): PendingTimer | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(timer: PendingTimer): void {
    const index = this.#index.get(timer);
    if (index === undefined) return;
    this.#index.delete(timer);
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(this.#index.get(last) ?? index);
  }

  #place(timer: PendingTimer, index: number): void {
    this.#heap[index] = timer;
    this.#index.set(timer, index);
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #down(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const earlier = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(earlier, index)) return;
      index = earlier;
    }
  }

  #isEarlier(left: number, right: number): boolean {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return false;
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
  }

  /** Swaps when the timer at `child` is due before the one at `parent`. */
  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false;
    const a = this.#heap[child];
    const b = this.#heap[parent];
    if (a === undefined || b === undefined) return false;
    this.#place(b, child);
    this.#place(a, parent);
    return true;
  }
}
