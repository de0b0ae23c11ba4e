import type { JobFacts, ParticipantFacts, VetoFacts } from "../plugin/index.ts";
import type { JobDefinition } from "./definition.ts";
import type { ResourceNeed } from "./deployment.ts";

/** What plug-ins are told when a site is asked whether it has what a job needs. */
export function resourceFacts(
  jobId: string,
  { gpus, units = {} }: ResourceNeed,
  site: string,
): VetoFacts["resourceCheck"] {
  return { jobId, site, gpus: gpus?.count ?? 0, gpuMemoryGiB: gpus?.memoryGiB ?? 0, units };
}

/** A job as {@link jobFacts} reads it. */
export interface DescribedJob {
  /** Id: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What it is. */
  readonly definition: JobDefinition;
  /** Who signed it. */
  readonly submitter: ParticipantFacts;
  /** Bytes of the model's parameters. */
  readonly modelBytes: number;
}

/** What plug-ins are told of a job. */
export function jobFacts({ jobId, definition, submitter, modelBytes }: DescribedJob): JobFacts {
  const { name, purpose, dataName, scope, workflow } = definition;
  return {
    jobId,
    name,
    purpose,
    submitter,
    dataName,
    ...(scope === undefined ? {} : { scope }),
    workflow: workflow.name,
    rounds: workflow.rounds,
    minimumSites: workflow.minimumSites,
    modelBytes,
  };
}
