import { type Actor, type Authorizer, decideJob } from "../authorization/index.ts";
import type { JobRecord, JobStore } from "../job/index.ts";
import type { JobQuery, Listed, ListedJob } from "../message/index.ts";

/** What {@link listJobs} works with. */
export interface ListJobsModules {
  readonly jobs: Pick<JobStore, "list">;
  readonly authorizer: Authorizer;
}

/**
 * The jobs that somebody may view, the newest first. That others are left out is no refusal, and not recorded.
 */
export async function listJobs(
  actor: Actor,
  { most, after }: JobQuery,
  { jobs, authorizer }: ListJobsModules,
): Promise<Listed<ListedJob>> {
  const newestFirst = (await jobs.list()).toReversed();
  // A job that is gone leaves its place: what follows is told by order, not by finding it.
  const rest = after === undefined ? newestFirst : newestFirst.filter((record) => cursorOf(record) < after);
  const visible = rest.filter(({ submitter }) => {
    const job = { submitter: submitter.name, submitterOrg: submitter.org };
    return decideJob({ actor, right: "view", job }, authorizer).allowed;
  });
  const page = visible.slice(0, most);
  const last = page.at(-1);
  const entries = page.map(listedJob);
  return last === undefined || page.length === visible.length
    ? { entries }
    : { entries, next: cursorOf(last) };
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
}: JobRecord): ListedJob {
  const end = endedAtMs === undefined ? {} : { endedAtMs };
  return { jobId, name, state, reason, submitter: submitter.name, org: submitter.org, submittedAtMs, ...end };
}
