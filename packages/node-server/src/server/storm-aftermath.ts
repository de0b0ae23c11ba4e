import type { Clock, Logger, Timer } from "@photinus/core/platform";

/** Sessions opened since the last time that make a storm: their log-ins leave some 20 MB of gaps behind. */
const STORM_SESSIONS = 1_000;
/** Time without a log-in after which a storm is over, in ms. */
const CALM_MS = 5_000;
/**
 * Bytes from sockets in that time above which something is under way that should not stand still: 4 MiB. Heartbeats of
 * ten thousand sites are a tenth of it.
 */
const CALM_BYTES = 4_194_304;
/** Least time between two times, in ms: participants who come and go cannot make a server stand still at will. */
const APART_MS = 60_000;

/** What {@link StormAftermath} works with. */
export interface StormAftermathModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes that came from sockets since the process began. */
  readonly bytesPassed: () => number;
  /** Makes memory compact; the process stands still meanwhile. */
  readonly compactMemory: () => void;
}

/** Once thousands have logged in and it is calm again, gives back what their log-ins took and their sessions do not hold. */
export class StormAftermath {
  readonly #modules: StormAftermathModules;
  #opened = 0;
  #lastOpenedMs = 0;
  #lastBytes = 0;
  #notBeforeMs = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(modules: StormAftermathModules) {
    this.#modules = modules;
  }

  /** One more session was opened. */
  opened(): void {
    this.#opened += 1;
    this.#lastOpenedMs = this.#modules.clock.now();
    if (this.#opened >= STORM_SESSIONS && this.#timer === undefined) this.#waitForCalm();
  }

  /** Looks no more. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #waitForCalm(): void {
    if (this.#isStopped) return;
    this.#lastBytes = this.#modules.bytesPassed();
    this.#timer = this.#modules.clock.after(CALM_MS, () => this.#look());
  }

  #look(): void {
    if (!this.#isCalm) {
      this.#waitForCalm();
      return;
    }
    const { clock, logger, compactMemory } = this.#modules;
    this.#timer = undefined;
    const opened = this.#opened;
    this.#opened = 0;
    const beganMs = clock.now();
    this.#notBeforeMs = beganMs + APART_MS;
    compactMemory();
    logger.info("memory was made compact after many log-ins", { opened, tookMs: clock.now() - beganMs });
  }

  get #isCalm(): boolean {
    const { clock, bytesPassed } = this.#modules;
    const nowMs = clock.now();
    const isQuiet = bytesPassed() - this.#lastBytes < CALM_BYTES;
    return isQuiet && nowMs - this.#lastOpenedMs >= CALM_MS && nowMs >= this.#notBeforeMs;
  }
}
