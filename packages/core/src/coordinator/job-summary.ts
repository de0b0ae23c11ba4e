import type { JobRecord } from "../job/index.ts";
import type { JobSummary } from "./options.ts";

/** A job as lists show it. */
export function summaryOf({ jobId, name, state, submitter, submittedAtMs, study }: JobRecord): JobSummary {
  const ofStudy = study === undefined ? {} : { study };
  return { jobId, name, state, submitter: submitter.name, submittedAtMs, ...ofStudy };
}
