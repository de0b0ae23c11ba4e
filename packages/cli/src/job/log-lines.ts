import type { ContributionView, JobView, RoundView } from "@photinus/core/message";

/** Something that happened in a job. */
export interface LogLine {
  /** When, ms since 1970. */
  readonly atMs: number;
  /** What, for people. */
  readonly text: string;
  /** The round that it belongs to; absent for the job's own. */
  readonly round?: number;
  /** The site that it is about; absent for the job's and the round's own. */
  readonly site?: string;
}

/** What happened so far, in order of time. Figures that are told later, such as an evaluation, are no part of a line. */
export function logLines(job: JobView): readonly LogLine[] {
  const { startedAtMs, endedAtMs, state, reason, name, rounds, minimumSites, history } = job;
  const begin = {
    atMs: startedAtMs,
    text: `job ${name}: ${rounds} rounds of at least ${minimumSites} sites`,
  };
  const end = endedAtMs === undefined ? [] : [{ atMs: endedAtMs, text: `job ${state}: ${reason}` }];
  return [begin, ...history.flatMap(linesOfRound), ...end];
}

function linesOfRound({ round, startedAtMs, endedAtMs, contributions }: RoundView): readonly LogLine[] {
  const ofSites = contributions
    .map((contribution) => ({
      atMs: Math.round(startedAtMs + contribution.milliseconds),
      ...{ round, site: contribution.site, text: `round ${round}: ${describe(contribution)}` },
    }))
    .toSorted((left, right) => left.atMs - right.atMs);
  const end = endedAtMs === undefined ? [] : [{ atMs: endedAtMs, round, text: `round ${round} committed` }];
  return [{ atMs: startedAtMs, round, text: `round ${round} begun` }, ...ofSites, ...end];
}

function describe({ site, outcome, cause, exampleCount, trainingLoss, norm }: ContributionView): string {
  if (outcome !== "accepted") return `${site} ${outcome}: ${cause}`;
  return `${site} accepted, ${exampleCount} examples, training loss ${trainingLoss.toFixed(4)}, norm ${norm.toFixed(4)}`;
}
