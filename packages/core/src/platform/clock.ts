/** A timer that can be stopped. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Time. Production hosts pass the system's, the simulator and the tests a virtual one. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Calls `callback` once, `delayMs` (>= 0) from now. */
  after(delayMs: number, callback: () => void): Timer;
  /** Gives other work a turn; long loops await it so that no synchronous stretch exceeds 5 ms. */
  yield(): Promise<void>;
}

/**
 * Resolves after `delayMs`.
 * @throws the signal's reason as soon as it is aborted
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
