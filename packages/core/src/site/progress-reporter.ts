import type { TaskProgress } from "../message/index.ts";
import type { Clock } from "../platform/index.ts";
import type { StatusBoard } from "./status-board.ts";
import type { TrainOptions, TrainProgress } from "./trainer.ts";

type Phase = TaskProgress["phase"];

/** Least time between two reports of one phase, ms. */
const INTERVAL_MS = 250;

/** Tells server and status board how far a task is: each change of phase, and a few times per second between. */
export class ProgressReporter {
  readonly #send: (phase: Phase, progress: number) => Promise<void>;
  readonly #board: StatusBoard;
  readonly #clock: Clock;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(send: (phase: Phase, progress: number) => Promise<void>, board: StatusBoard, clock: Clock) {
    this.#send = send;
    this.#board = board;
    this.#clock = clock;
  }

  /** A phase begins. */
  begin(phase: Phase): void {
    this.#board.update({ activity: phase, progress: 0 });
    this.#report(phase, 0);
  }

  /** Options for a trainer whose steps are reported. */
  options(signal: AbortSignal): TrainOptions {
    return { signal, onProgress: (progress) => this.#step(progress) };
  }

  #step({ phase, step, steps, loss }: TrainProgress): void {
    const progress = steps > 0 ? Math.min(1, Math.max(0, step / steps)) : 0;
    this.#board.update({ progress, ...(loss === undefined ? {} : { trainingLoss: loss }) });
    if (this.#clock.now() - this.#lastMs >= INTERVAL_MS) this.#report(phase, progress);
  }

  #report(phase: Phase, progress: number): void {
    this.#lastMs = this.#clock.now();
    this.#send(phase, progress).catch(() => undefined); // progress is a courtesy; a real fault shows in the task
  }
}
