import type { JobDefinition } from "./definition.ts";
import type { DeploymentDefinition } from "./deployment.ts";
import { type JobPayload, parseJobPayload } from "./job-object.ts";
import { type SignedJob, type SignJobModules, signPayload } from "./sign-job.ts";

/** What a clone has in place of what the first job had. */
export interface JobChanges {
  /** Title for people. */
  readonly name?: string;
  /** What the result is for. */
  readonly purpose?: string;
  /** How many. */
  readonly rounds?: number;
  /** Sites that a round needs. */
  readonly minimumSites?: number;
  /** The sites that take part. */
  readonly sites?: readonly string[];
  /** Sites without which the job does not start and no round counts. */
  readonly mandatorySites?: readonly string[];
}

/** A job of which somebody verified what its submitter signed. */
export interface CloneSource {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What was signed. */
  readonly payload: JobPayload;
}

/**
 * Signs a job anew, by another key perhaps: same model, a definition with these changes, and whence it comes.
 * @throws JobError `ERR_JOB_INVALID` naming the first bad field
 */
export async function signClone(
  { jobId: clonedFrom, payload: { definition, ...contents } }: CloneSource,
  changes: JobChanges,
  modules: SignJobModules,
): Promise<Pick<SignedJob, "jobId" | "object" | "payload">> {
  const payload = parseJobPayload({ ...contents, definition: withChanges(definition, changes), clonedFrom });
  return { ...(await signPayload(payload, modules)), payload };
}

function withChanges(
  { deployment, workflow, ...rest }: JobDefinition,
  { name, purpose, rounds, minimumSites, sites, mandatorySites }: JobChanges,
): JobDefinition {
  const placed = withPlaces(deployment, { sites, mandatorySites });
  return {
    ...rest,
    name: name ?? rest.name,
    purpose: purpose ?? rest.purpose,
    workflow: {
      ...workflow,
      rounds: rounds ?? workflow.rounds,
      minimumSites: minimumSites ?? workflow.minimumSites,
    },
    ...(placed === undefined ? {} : { deployment: placed }),
  };
}

/** What the job needs at sites that take no part is not asked of anybody. */
function withPlaces(
  deployment: DeploymentDefinition | undefined,
  {
    sites,
    mandatorySites,
  }: { readonly [Field in "sites" | "mandatorySites"]: JobChanges[Field] | undefined },
): DeploymentDefinition | undefined {
  const placed = {
    ...deployment,
    ...(sites === undefined ? {} : { sites }),
    ...(mandatorySites === undefined ? {} : { mandatorySites }),
  };
  const { resources } = placed;
  if (sites !== undefined && resources !== undefined) {
    const needs = Object.entries(resources).filter(([site]) => site === "*" || sites.includes(site));
    return { ...placed, resources: Object.fromEntries(needs) };
  }
  return Object.keys(placed).length === 0 ? undefined : placed;
}
