import {
  applyObservation,
  type JobView,
  type Observation,
  type ObservationChange,
} from "../message/index.ts";
import type { ObserveOptions } from "./options.ts";

/** Options of an {@link ObservationLog}. */
export interface ObservationLogOptions {
  /** Increments that are held for readers that fall behind; one further behind gets a snapshot. */
  readonly capacity: number;
  /**
   * Sequence of the first snapshot. A log that follows another of the same job (after a restart) begins above it:
   * the coordinator passes its clock, since no job has 1 000 increments per second for long.
   */
  readonly firstSequence: number;
}

/** One job as people watch it: the present view, and the last increments for readers that follow. */
export class ObservationLog {
  readonly #capacity: number;
  #view: JobView;
  #sequence: number;
  /** The increments (sequence - length, sequence], oldest first. */
  readonly #held: ObservationChange[] = [];
  #ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(view: JobView, { capacity, firstSequence }: ObservationLogOptions) {
    this.#view = view;
    this.#capacity = capacity;
    this.#sequence = firstSequence;
  }

  /** The view after every increment so far. */
  get view(): JobView {
    return this.#view;
  }

  /** Adds one increment. */
  apply(change: ObservationChange): void {
    this.#view = applyObservation(this.#view, change);
    this.#sequence += 1;
    this.#held.push(change);
    if (this.#held.length > this.#capacity) this.#held.shift();
    this.#wake();
  }

  /** Lets readers end once they have everything. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** A snapshot or the missing increments first, then what follows, until the log or the signal ends. */
  async *observe({ fromSequence, signal }: ObserveOptions): AsyncGenerator<Observation, void, undefined> {
    let seen = fromSequence !== undefined && this.#holdsAfter(fromSequence) ? fromSequence : undefined;
    while (!signal.aborted) {
      if (seen === undefined || !this.#holdsAfter(seen)) {
        seen = this.#sequence;
        yield { kind: "snapshot", sequence: seen, job: this.#view };
      } else if (seen < this.#sequence) {
        seen += 1;
        const change = this.#held[this.#held.length - 1 - (this.#sequence - seen)];
        if (change !== undefined) yield { kind: "increment", sequence: seen, change };
      } else if (this.#ended) {
        return;
      } else {
        await this.#changed(signal);
      }
    }
  }

  /** True when every increment after `sequence` is still held. */
  #holdsAfter(sequence: number): boolean {
    return sequence <= this.#sequence && sequence >= this.#sequence - this.#held.length;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
