import type { SiteJobStatus, SiteStatus } from "@photinus/core/site";

/** Contributions that a status keeps. */
const OUTGOING_KEPT = 64;

/** The status of a site that paused in between: what came before is carried on. */
export function carryOn(before: SiteStatus | undefined, now: SiteStatus): SiteStatus {
  if (before === undefined) return now;
  const job = now.job === undefined ? before.job : carryJob(before.job, now.job);
  const digests = new Set(now.outgoing.map(({ digest }) => digest));
  return {
    ...now,
    job,
    outgoing: [...before.outgoing.filter(({ digest }) => !digests.has(digest)), ...now.outgoing].slice(
      -OUTGOING_KEPT,
    ),
    committed: before.committed + now.committed,
    bytesUp: before.bytesUp + now.bytesUp,
    bytesDown: before.bytesDown + now.bytesDown,
  };
}

function carryJob(before: SiteJobStatus | undefined, now: SiteJobStatus): SiteJobStatus {
  if (before === undefined || before.jobId !== now.jobId) return now;
  return {
    ...now,
    round: Math.max(before.round, now.round),
    evaluations: mergeByRound(before.evaluations, now.evaluations),
    losses: mergeByRound(before.losses, now.losses),
  };
}

function mergeByRound<T extends { readonly round: number }>(
  before: readonly T[],
  now: readonly T[],
): readonly T[] {
  const rounds = new Set(now.map(({ round }) => round));
  return [...before.filter(({ round }) => !rounds.has(round)), ...now];
}
