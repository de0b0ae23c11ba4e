import { toHex } from "../bytes/index.ts";
import type { JobRecord } from "../job/index.ts";
import { hasJobEnded } from "../message/index.ts";
import { refuse } from "./answer-site.ts";
import type { ContributionProblem } from "./check-contribution.ts";
import type { JobModules } from "./job-context.ts";
import type { LiveSite } from "./live-site.ts";

/** A result of a job that does not run: refused with its one cause, which is recorded. */
export async function refuseStray(
  site: LiveSite,
  body: { readonly jobId: string; readonly taskId: string },
  { jobs, audit }: Pick<JobModules, "jobs" | "audit">,
): Promise<void> {
  const { jobId, taskId } = body;
  const problem = problemOf(await jobs.find(jobId));
  const { leafDigest, name } = site.session.peer;
  await audit.record({
    actor: `${toHex(leafDigest)} ${name}`,
    action: "result",
    object: name,
    outcome: "refused",
    reason: problem.code,
    correlation: jobId,
    details: { taskId },
  });
  await refuse(site, body, problem);
}

function problemOf(record: JobRecord | undefined): ContributionProblem {
  if (record === undefined) return { code: "ERR_JOB_UNKNOWN", detail: "there is no such job" };
  if (record.deletion !== undefined) return { code: "ERR_JOB_DELETED", detail: "the job was deleted" };
  if (hasJobEnded(record.state)) return { code: "ERR_CONTRIBUTION_LATE", detail: "the job has ended" };
  return { code: "ERR_TASK_UNKNOWN", detail: "no such task is out" };
}
