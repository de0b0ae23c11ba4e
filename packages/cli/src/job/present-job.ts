import type { JobHandle } from "@photinus/core/console";
import { JobError } from "@photinus/core/errors";
import type { JobView } from "@photinus/core/message";

/** A job as it is now. @throws RequestError; JobError `ERR_JOB_UNKNOWN`; the signal's reason */
export async function presentJob(job: Pick<JobHandle, "views">, signal: AbortSignal): Promise<JobView> {
  for await (const view of job.views(signal)) return view;
  signal.throwIfAborted(); // the views of a command that was stopped end without one
  throw new JobError("ERR_JOB_UNKNOWN", "the server told nothing of the job");
}
