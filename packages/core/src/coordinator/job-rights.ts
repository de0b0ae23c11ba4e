import type { AuditLog } from "../audit/index.ts";
import { type Actor, decide, type JobRight } from "../authorization/index.ts";
import { AuthorizationError } from "../errors/index.ts";
import type { JobRecord } from "../job/index.ts";

/** Somebody who wants something of a job. */
export interface JobUser {
  /** Who, as it decides. */
  readonly actor: Actor;
  /** Who, as the audit record says. */
  readonly recordedAs: string;
}

/** A right that somebody wants to use. */
export interface RightRequest extends JobUser {
  readonly right: JobRight;
  readonly jobId: string;
}

/** What rights are looked up in and recorded with. */
export interface JobRightModules {
  /** @throws JobError `ERR_JOB_UNKNOWN` */
  readonly record: (jobId: string) => Promise<JobRecord>;
  readonly audit: AuditLog;
}

/**
 * Decides about a right to a job; a refusal is recorded.
 * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`
 */
export async function requireJobRight(request: RightRequest, modules: JobRightModules): Promise<void> {
  const { submitter } = await modules.record(request.jobId);
  const facts = { submitter: submitter.name, submitterOrg: submitter.org };
  const decision = decide(request.actor, request.right, facts);
  if (decision.allowed) return;
  await record(request, "refused", modules);
  throw new AuthorizationError("ERR_FORBIDDEN", decision.reason);
}

/**
 * As {@link requireJobRight}; that it is used is recorded too, before it has an effect.
 * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`
 */
export async function useJobRight(request: RightRequest, modules: JobRightModules): Promise<void> {
  await requireJobRight(request, modules);
  await record(request, "accepted", modules);
}

async function record(
  { recordedAs: actor, right, jobId }: RightRequest,
  outcome: "accepted" | "refused",
  { audit }: JobRightModules,
): Promise<void> {
  await audit.record({ actor, action: "job", object: jobId, outcome, reason: right, correlation: jobId });
}
