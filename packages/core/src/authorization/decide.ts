import type { Participant } from "../pki/index.ts";
import type { Authorizer } from "./authorizer.ts";
import type { PolicyDecision } from "./policy.ts";

/** What a person or an adapter may be allowed to do with jobs. */
export type JobRight = "submit" | "view" | "abort" | "download" | "delete" | "clone";

/** Who asks, as a certificate or an identity provider says. */
export type Actor = Pick<Participant, "name" | "org" | "role">;

/** The job that a right is about. */
export interface JobFacts {
  /** Name of its submitter, from the certificate. */
  readonly submitter: string;
  /** Organization of its submitter. */
  readonly submitterOrg: string;
}

/** What is asked about a job. */
export interface JobRightRequest {
  /** Who asks. */
  readonly actor: Actor;
  /** What for. */
  readonly right: JobRight;
  /** Whose job it is; absent for `submit`. */
  readonly job?: JobFacts;
}

/** Names of the rights in policies. */
const POLICY_RIGHT: Readonly<Record<JobRight, string>> = {
  submit: "submit_job",
  view: "get_job_meta",
  abort: "abort_job",
  download: "download_job",
  delete: "delete_job",
  clone: "clone_job",
};

/** Decides whether somebody has a right to a job. */
export function decideJob({ actor, right, job }: JobRightRequest, authorizer: Authorizer): PolicyDecision {
  if (right !== "submit" && job === undefined) {
    return { allowed: false, path: [], why: `${right} is about a job, and none was named` };
  }
  const { name, org, role } = actor;
  return authorizer.decide({
    user: { name, org, role },
    submitter: job && { name: job.submitter, org: job.submitterOrg },
    right: POLICY_RIGHT[right],
  });
}
