import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "@photinus/core/platform";

/** Longest delay of one Node timer in ms (2^31 - 1); longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function startTimer(delayMs: number, callback: () => void): Timer {
  let handle: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    handle = setTimeout(
      () => (leftMs > MAX_DELAY_MS ? wait(leftMs - MAX_DELAY_MS) : callback()),
      Math.min(leftMs, MAX_DELAY_MS),
    );
  };
  wait(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** The clock of this machine. A pending timer keeps the process alive: cancel it. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      if (!(delayMs >= 0)) throw new RangeError(`a delay is at least 0 ms, got ${delayMs}`);
      return startTimer(delayMs, callback);
    },
    yield: () => setImmediate(),
  };
}
