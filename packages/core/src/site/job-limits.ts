import { JobError } from "../errors/index.ts";
import { isDeployedTo, isWithin, type JobPayload } from "../job/index.ts";
import type { Publication } from "../message/index.ts";
import type { SiteLimits } from "./options.ts";

/** What a site takes where its options do not say otherwise. */
export const DEFAULT_LIMITS: SiteLimits = {
  rounds: 10_000,
  localEpochs: 100,
  modelBytes: 512 * 2 ** 20,
  concurrentJobs: 4,
};

/** Jobs that wait at a site for others to end: each is kept in memory. */
const MAX_WAITING = 64;

/** What a job is held against. */
export interface SiteFacts {
  /** Name of the site. */
  readonly site: string;
  /** Studies whose jobs it takes; absent: whichever. */
  readonly studies?: readonly string[] | undefined;
  /** Where its data lies. */
  readonly jurisdiction?: string | undefined;
  readonly limits: SiteLimits;
  readonly dataNames: readonly string[];
  /** Jobs that wait here for others to end. */
  readonly waitingJobs: number;
  /** Why the site's own records are not to be relied on; then no job is taken. */
  readonly fault?: string | undefined;
}

/** Why a site declines a job before anybody is asked; `undefined` when nothing speaks against it. */
export function declineReason(
  { definition, graph, initialParameters }: JobPayload,
  { limits, dataNames, waitingJobs, fault, ...place }: SiteFacts,
): string | undefined {
  if (fault !== undefined) return fault;
  const { workflow, training, dataName } = definition;
  const misplaced = misplacement(definition, place);
  if (misplaced !== undefined) return misplaced;
  if (!dataNames.includes(dataName)) return `there is no data named ${dataName} here`;
  if (workflow.rounds > limits.rounds) return `at most ${limits.rounds} rounds (asked ${workflow.rounds})`;
  if (training.localEpochs > limits.localEpochs) {
    return `at most ${limits.localEpochs} local epochs (asked ${training.localEpochs})`;
  }
  const bytes = Math.max(graph.byteLength, initialParameters.byteLength);
  if (bytes > limits.modelBytes) return `at most ${limits.modelBytes} bytes of a model (asked ${bytes})`;
  if (waitingJobs >= MAX_WAITING) return `${MAX_WAITING} jobs wait here already`;
  return undefined;
}

/** [W-199] Why a job does not belong at a site, whatever the server says; it was signed so. */
function misplacement(
  { deployment, residency, study }: JobPayload["definition"],
  { site, studies, jurisdiction }: Pick<SiteFacts, "site" | "studies" | "jurisdiction">,
): string | undefined {
  if (!isDeployedTo(deployment, site)) return "the job does not name this site";
  if (studies !== undefined && !isOfStudies(study, studies))
    return "this site is not in the study of the job";
  if (isWithin(jurisdiction, residency)) return undefined;
  return `the job stays within ${residency?.join(", ")}, this site ${jurisdiction === undefined ? "has no place" : `lies in ${jurisdiction}`}`;
}

function isOfStudies(study: string | undefined, studies: readonly string[]): boolean {
  return study === undefined ? studies.length === 0 : studies.includes(study);
}

/** What the server publishes; the limit stands before anything is allocated for it. @throws JobError `ERR_JOB_DECLINED` */
export function withinLimits({ modelBytes }: SiteLimits, publication: Publication): Publication {
  const { kind, totalBytes } = publication;
  if (totalBytes <= modelBytes) return publication;
  throw new JobError("ERR_JOB_DECLINED", `a ${kind} of ${totalBytes} bytes`);
}
