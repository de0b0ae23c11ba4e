import { WireError } from "@photinus/core/errors";

/** Signals by which people and services end a program. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The first signal aborts in order, a second one ends the process at once. */
export interface Interruption {
  /** Aborted by the first signal, with WireError `ERR_CANCELLED`. */
  readonly signal: AbortSignal;
  /** Aborts as a signal of the system would. */
  interrupt(reason: string): void;
  /** From now on SIGHUP does this instead, unless a terminal has hung up, which ends the program as before. */
  onHangup(handler: () => void): void;
  /** Gives the signals back to their default. */
  release(): void;
}

/** Listens for the signals of the system. */
export function interruption(): Interruption {
  const controller = new AbortController();
  let hangup: (() => void) | undefined;
  const interrupt = (reason: string): void => {
    if (reason === "SIGHUP" && hangup !== undefined && !process.stdin.isTTY) {
      hangup();
      return;
    }
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new WireError("ERR_CANCELLED", `stopped by ${reason}`));
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  return {
    signal: controller.signal,
    interrupt,
    onHangup(handler) {
      hangup = handler;
    },
    release() {
      for (const signal of SIGNALS) process.off(signal, interrupt);
    },
  };
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
