import type { JobStore } from "../job/index.ts";
import { hasJobEnded, jobEnded } from "../message/index.ts";
import { ignoreLostSession } from "./answer-site.ts";
import type { LiveSite } from "./live-site.ts";
import type { Studies } from "./studies.ts";

/** What {@link tellEnded} works with. */
export interface TellEndedModules {
  readonly jobs: Pick<JobStore, "find">;
  readonly studies: Pick<Studies, "isOfStudy">;
}

/**
 * A site spoke of a job that does not run for it: it is told that it has ended, and how. A job of a study that the site is not
 * in is told of as of one that is not there; of one that goes on, or that the next process takes up, nothing is said.
 */
export async function tellEnded(
  jobId: string,
  site: LiveSite,
  { jobs, studies }: TellEndedModules,
): Promise<void> {
  const found = await jobs.find(jobId);
  const record = found !== undefined && studies.isOfStudy(found.study, site) ? found : undefined;
  const state = record?.state ?? "aborted";
  if (!hasJobEnded(state)) return;
  const reason = record?.deletion ? "ERR_JOB_DELETED" : (record?.reason ?? "ERR_JOB_UNKNOWN");
  await ignoreLostSession(site.session.send(jobEnded, { jobId, state, reason }, { scope: jobId }));
}
