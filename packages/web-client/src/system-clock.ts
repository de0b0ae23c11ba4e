import type { Clock, Timer } from "@photinus/core/platform";

/** Longest delay of one browser timer in ms (2^31 - 1); longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function startTimer(delayMs: number, callback: () => void): Timer {
  let handle = 0;
  const wait = (leftMs: number): void => {
    handle = Number(
      setTimeout(
        () => (leftMs > MAX_DELAY_MS ? wait(leftMs - MAX_DELAY_MS) : callback()),
        Math.min(leftMs, MAX_DELAY_MS),
      ),
    );
  };
  wait(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** The clock of this browser, in pages and workers. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      if (!(delayMs >= 0)) throw new RangeError(`a delay is at least 0 ms, got ${delayMs}`);
      return startTimer(delayMs, callback);
    },
    yield: nextTurn,
  };
}

/** A turn of the event loop by a message: a timer of 0 ms is clamped to 4 ms when it is nested. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
