import type { Actor } from "../authorization/index.ts";
import type { JobRecord } from "../job/index.ts";
import type { Observation } from "../message/index.ts";
import { type Studies, unknownJob } from "./studies.ts";

/** What of a job is watched, and by whom. */
export interface Watched {
  /** The job, from its record. */
  readonly job: Pick<JobRecord, "jobId" | "study">;
  /** Who looks on; absent: whoever asks has decided that, for good. */
  readonly actor?: Actor | undefined;
}

/**
 * What is observed of a job, as long as who looks on is in its study.
 * @throws JobError `ERR_JOB_UNKNOWN` once he is not
 */
export async function* watchLog(
  { job, actor }: Watched,
  observations: AsyncIterable<Observation>,
  studies: Pick<Studies, "actorIn">,
): AsyncGenerator<Observation, void, undefined> {
  for await (const next of observations) {
    if (actor !== undefined && studies.actorIn(job.study, actor) === undefined) throw unknownJob(job.jobId);
    yield next;
  }
}
