import type { Actor, Authorizer } from "../authorization/index.ts";
import { type JobRecord, type JobStore, jobCursor } from "../job/index.ts";
import type { JobQuery, Listed, ListedJob } from "../message/index.ts";
import { isVisibleTo } from "./job-rights.ts";
import type { Studies } from "./studies.ts";

/** What {@link listJobs} works with. */
export interface ListJobsModules {
  readonly jobs: Pick<JobStore, "newest">;
  readonly authorizer: Authorizer;
  readonly studies: Studies;
}

/**
 * The jobs that somebody may view, the newest first. That others are left out is no refusal, and not recorded.
 */
export async function listJobs(
  actor: Actor,
  { most, after, study }: JobQuery,
  { jobs, ...modules }: ListJobsModules,
): Promise<Listed<ListedJob>> {
  const page: JobRecord[] = [];
  // A job that is gone leaves its place: what follows is told by order, not by finding it.
  for await (const record of jobs.newest(after)) {
    if (study !== undefined && record.study !== study) continue;
    if (!isVisibleTo(actor, record, modules)) continue;
    const last = page.at(-1);
    if (page.length === most && last !== undefined)
      return { entries: page.map(listedJob), next: jobCursor(last) };
    page.push(record);
  }
  return { entries: page.map(listedJob) };
}

function listedJob({
  jobId,
  name,
  state,
  reason,
  submitter,
  submittedAtMs,
  endedAtMs,
  clonedFrom,
  study,
}: JobRecord): ListedJob {
  return {
    ...{ jobId, name, state, reason, submitter: submitter.name, org: submitter.org, submittedAtMs },
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(clonedFrom === undefined ? {} : { clonedFrom }),
    ...(study === undefined ? {} : { study }),
  };
}
