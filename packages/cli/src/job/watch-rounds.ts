import {
  applyObservation,
  type JobView,
  type ObservationSource,
  type RoundView,
} from "@photinus/core/message";
import type { Clock } from "@photinus/core/platform";
import { tellableRounds } from "./round-lines.ts";

/** What {@link watchRounds} works with. */
export interface WatchModules {
  readonly clock: Clock;
  /** Takes each round, in order, once, with the job as it is then. */
  readonly tell: (job: JobView, round: RoundView) => void;
  /** Takes the job after each observation. */
  readonly show?: (job: JobView) => void;
  readonly signal: AbortSignal;
}

/** A job that was watched to its end. */
export interface WatchedJob {
  /** As it was last seen. */
  readonly job: JobView;
  /** When the first round was committed, ms since 1970; `undefined` when none was. */
  readonly firstRoundAtMs: number | undefined;
}

/**
 * Follows a job to its end and tells each round when it is over and its model evaluated.
 * @returns `undefined` when the source ended before it told anything
 */
export async function watchRounds(
  source: ObservationSource,
  { clock, tell, show, signal }: WatchModules,
): Promise<WatchedJob | undefined> {
  let job: JobView | undefined;
  let firstRoundAtMs: number | undefined;
  const told = new Set<number>();
  for await (const observation of source.observe(signal)) {
    if (observation.kind === "snapshot") job = observation.job;
    else if (job !== undefined) job = applyObservation(job, observation.change);
    if (job === undefined) continue;
    if (job.history[0]?.endedAtMs !== undefined) firstRoundAtMs ??= clock.now();
    for (const round of tellableRounds(job)) {
      if (!told.has(round.round)) tell(job, round);
      told.add(round.round);
    }
    show?.(job);
  }
  return job === undefined ? undefined : { job, firstRoundAtMs };
}
