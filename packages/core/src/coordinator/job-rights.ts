import type { AuditLog } from "../audit/index.ts";
import {
  type Actor,
  type Authorizer,
  decideJob,
  decisionDetails,
  type JobFacts,
  type JobRight,
  type PolicyDecision,
} from "../authorization/index.ts";
import { AuthorizationError } from "../errors/index.ts";
import { type JobRecord, requireNotDeleted } from "../job/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import { type Studies, unknownJob } from "./studies.ts";

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
  /** The record of a job, deleted or not. */
  readonly find: (jobId: string) => Promise<JobRecord | undefined>;
  readonly studies: Studies;
  readonly audit: AuditLog;
  readonly authorizer: Authorizer;
  readonly plugins: PluginHost;
}

/**
 * Decides about a right to a job; a refusal is recorded.
 * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`
 */
export async function requireJobRight(request: RightRequest, modules: JobRightModules): Promise<void> {
  const decision = await decisionOf(request, modules);
  if (!decision.allowed) await refuse(request, decision, modules);
}

/**
 * As {@link requireJobRight}, and plug-ins have to agree; that it is used is recorded too, before it has an effect.
 * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`, PluginError `ERR_PLUGIN_REFUSED`
 */
export async function useJobRight(request: RightRequest, modules: JobRightModules): Promise<void> {
  const decision = await decisionOf(request, modules);
  if (!decision.allowed) await refuse(request, decision, modules);
  const { actor, right: command, jobId } = request;
  const { name, role, org } = actor;
  const facts = { actor: { name, role, org }, command, object: jobId };
  await modules.plugins.require("command", facts, { correlation: jobId });
  await record(request, decision, modules);
}

/** True when somebody sees a job in a list. That others are left out of it is no refusal to be recorded. */
export function isVisibleTo(
  actor: Actor,
  record: JobRecord,
  { authorizer, studies }: Pick<JobRightModules, "authorizer" | "studies">,
): boolean {
  const present = studies.actorIn(record.study, actor);
  return (
    present !== undefined &&
    decideJob({ actor: present, right: "view", job: factsOf(record) }, authorizer).allowed
  );
}

/** [W-198] A job of a study that somebody is not in is answered, recorded and counted as one that is not there. */
async function decisionOf(request: RightRequest, modules: JobRightModules): Promise<PolicyDecision> {
  const { actor, right, jobId } = request;
  const job = await modules.find(jobId);
  const present = job && modules.studies.actorIn(job.study, actor);
  if (job === undefined || present === undefined) {
    await record(request, NOT_THERE, modules);
    throw unknownJob(jobId);
  }
  requireNotDeleted(job);
  return decideJob({ actor: present, right, job: factsOf(job) }, modules.authorizer);
}

const NOT_THERE: PolicyDecision = { allowed: false, path: [], why: "there is no such job for who asks" };

function factsOf({ submitter }: JobRecord): JobFacts {
  return { submitter: submitter.name, submitterOrg: submitter.org };
}

async function refuse(
  request: RightRequest,
  decision: PolicyDecision,
  modules: JobRightModules,
): Promise<never> {
  await record(request, decision, modules);
  throw new AuthorizationError("ERR_FORBIDDEN", decision.why);
}

async function record(
  { recordedAs: actor, right, jobId }: RightRequest,
  decision: PolicyDecision,
  { audit }: JobRightModules,
): Promise<void> {
  await audit.record({
    actor,
    action: "job",
    object: jobId,
    outcome: decision.allowed ? "accepted" : "refused",
    reason: right,
    correlation: jobId,
    details: decisionDetails(decision),
  });
}
