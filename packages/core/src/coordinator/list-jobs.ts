import type { Actor, Authorizer } from "../authorization/index.ts";
import type { JobRecord, JobStore } from "../job/index.ts";
import type { JobQuery, Listed, ListedJob } from "../message/index.ts";
import { isVisibleTo } from "./job-rights.ts";
import type { Studies } from "./studies.ts";

/** What {@link listJobs} works with. */
export interface ListJobsModules {
  readonly jobs: Pick<JobStore, "list">;
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
  for (const record of (await jobs.list()).toReversed()) {
    // A job that is gone leaves its place: what follows is told by order, not by finding it.
    if (after !== undefined && cursorOf(record) >= after) continue;
    if (study !== undefined && record.study !== study) continue;
    if (!isVisibleTo(actor, record, modules)) continue;
    const last = page.at(-1);
    if (page.length === most && last !== undefined)
      return { entries: page.map(listedJob), next: cursorOf(last) };
    page.push(record);
  }
  return { entries: page.map(listedJob) };
}

/** Orders as the list does: by time of submission, then by id. */
const cursorOf = ({ submittedAtMs, jobId }: JobRecord): string =>
  `${submittedAtMs.toString().padStart(16, "0")}.${jobId}`;

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
