import { PhotinusError } from "@photinus/core/errors";
import { applyObservation, type JobView, type ObservationSource } from "@photinus/core/message/observation";
import type { ConnectionState } from "./sse-observations.ts";

/** How far a feed is. */
export type FeedStatus =
  /** Nothing to observe was given. */
  | "empty"
  /** The first snapshot has not come. */
  | "loading"
  | "live"
  /** The connection was lost and is being taken up again; the last known state stays shown. */
  | "reconnecting"
  /** The job has ended, or the source has. */
  | "ended"
  | "failed";

/** Why a feed failed. */
export interface FeedFault {
  /** Code of the registry of errors, or `ERR_INTERNAL`. */
  readonly code: string;
  /** What happened, for people. */
  readonly message: string;
}

/** One job, kept up to date, for any number of listeners. */
export class JobFeed {
  #job: JobView | undefined;
  #status: FeedStatus = "empty";
  #fault: FeedFault | undefined;
  #abort: AbortController | undefined;
  readonly #listeners: Set<() => void> = new Set();

  /** The job as last heard; `undefined` before the first snapshot. */
  get job(): JobView | undefined {
    return this.#job;
  }

  /** How far the feed is. */
  get status(): FeedStatus {
    return this.#status;
  }

  /** Why it failed, when it did. */
  get fault(): FeedFault | undefined {
    return this.#fault;
  }

  /** Calls `listener` after each change; the returned function stops that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Observes `source` in place of what was observed before. */
  start(source: ObservationSource): void {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.#job = undefined;
    this.#change("loading");
    void this.#observe(source, abort.signal);
  }

  /** Stops observing; the last known state stays. Idempotent. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }

  /** What a source tells about its connection. */
  connection(state: ConnectionState): void {
    if (state.kind === "reconnecting" && this.#status === "live") this.#change("reconnecting");
    if (state.kind === "live" && this.#status === "reconnecting") this.#change("live");
  }

  async #observe(source: ObservationSource, signal: AbortSignal): Promise<void> {
    try {
      for await (const observation of source.observe(signal)) {
        if (signal.aborted) return;
        if (observation.kind === "snapshot") this.#job = observation.job;
        else if (this.#job !== undefined) this.#job = applyObservation(this.#job, observation.change);
        this.#change("live");
      }
      if (!signal.aborted) this.#change("ended");
    } catch (error) {
      if (signal.aborted) return;
      this.#fault = {
        code: error instanceof PhotinusError ? error.code : "ERR_INTERNAL",
        message: error instanceof Error ? error.message : "the observation ended with an error",
      };
      this.#change("failed");
    }
  }

  #change(status: FeedStatus): void {
    this.#status = status;
    if (status !== "failed") this.#fault = undefined;
    for (const listener of this.#listeners) listener();
  }
}
