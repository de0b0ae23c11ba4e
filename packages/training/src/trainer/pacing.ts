import type { Clock } from "@photinus/core/platform";
import type { TrainOptions } from "@photinus/core/site";

/** How a loop of steps stays polite. */
export interface PacingOptions extends TrainOptions {
  /** Tells the time since the last report and the last turn given away. */
  readonly clock: Clock;
  /** What the loop does. */
  readonly phase: "evaluating" | "training";
  /** Steps planned. */
  readonly steps: number;
}

const REPORT_EVERY_MS = 300;
const YIELD_EVERY_MS = 20;

/** Reports progress a few times per second, gives other work a turn so that messages arrive, and stops on abort. */
export class Pacing {
  readonly #options: PacingOptions;
  #reportedAt: number;
  #yieldedAt: number;
  #losses: number[] = [];

  /** Starts the time. */
  constructor(options: PacingOptions) {
    this.#options = options;
    this.#reportedAt = options.clock.now();
    this.#yieldedAt = this.#reportedAt;
  }

  /** Called after each step. @throws the signal's reason once it is aborted */
  async after(step: number, loss?: number): Promise<void> {
    const { clock, signal, phase, steps, onProgress } = this.#options;
    if (loss !== undefined) this.#losses.push(loss);
    const now = clock.now();
    if (now - this.#yieldedAt >= YIELD_EVERY_MS) {
      await clock.yield();
      this.#yieldedAt = now;
    }
    signal.throwIfAborted();
    if (onProgress === undefined || now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    onProgress({ phase, step, steps, ...this.#meanLoss() });
    this.#losses = [];
  }

  #meanLoss(): { readonly loss?: number } {
    const count = this.#losses.length;
    return count === 0 ? {} : { loss: this.#losses.reduce((sum, loss) => sum + loss, 0) / count };
  }
}
