import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "@photinus/core/platform";

/** Longest delay of one Node timer in ms (2^31 - 1); longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer of Node, in parts where it is longer than Node's can be. A server has thousands: it holds nothing else. */
class NodeTimer implements Timer {
  #handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#handle = this.#start(delayMs, callback);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #start(delayMs: number, callback: () => void): NodeJS.Timeout {
    if (delayMs <= MAX_DELAY_MS) return setTimeout(callback, delayMs);
    return setTimeout(() => {
      this.#handle = this.#start(delayMs - MAX_DELAY_MS, callback);
    }, MAX_DELAY_MS);
  }
}

/** The clock of this machine. A pending timer keeps the process alive: cancel it. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      if (!(delayMs >= 0)) throw new RangeError(`a delay is at least 0 ms, got ${delayMs}`);
      return new NodeTimer(delayMs, callback);
    },
    yield: () => setImmediate(),
  };
}
