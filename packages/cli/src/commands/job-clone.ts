import { HostError } from "@photinus/core/errors";
import type { JobChanges } from "@photinus/core/job";
import type { CommandContext } from "../context.ts";
import { withFederation } from "../with-federation.ts";
import { type JobSubmitOptions, tellHandedIn } from "./job-submit.ts";

/** Options of `photinus job clone`. */
export interface JobCloneOptions extends Omit<JobSubmitOptions, "study"> {
  /** Fields of the clone, each as `field=value`. */
  readonly set?: readonly string[];
}

/** What may be set, and how its text is read. */
const FIELDS: Readonly<Record<string, (value: string) => JobChanges>> = {
  name: (name) => ({ name }),
  purpose: (purpose) => ({ purpose }),
  rounds: (value) => ({ rounds: numberOf("rounds", value) }),
  minimumSites: (value) => ({ minimumSites: numberOf("minimumSites", value) }),
  sites: (value) => ({ sites: namesOf(value) }),
  mandatorySites: (value) => ({ mandatorySites: namesOf(value) }),
};

/**
 * Makes a new job of another one, signed by the user; resolves when it is durable at the server, or, to be watched, has
 * ended well.
 * @throws HostError `ERR_CONFIG_INVALID` for a field that cannot be set; JobError `ERR_JOB_INVALID`; as `withFederation`;
 *   ReportedFailure when a watched job did not end well
 */
export async function cloneJob(
  jobId: string,
  { set = [], submitToken, watch = false, ...options }: JobCloneOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const changes = changesOf(set);
  await withFederation(
    options,
    async ({ federation, signal }) => {
      const token = submitToken === undefined ? {} : { submitToken };
      const job = await federation.job(jobId).clone({ changes, ...token, signal });
      terminal.line(`Job ${job.jobId} submitted: a clone of ${jobId}`);
      await tellHandedIn(job, { watch, kit: options.kit, clonedFrom: jobId }, { terminal, signal });
    },
    context,
  );
}

function changesOf(set: readonly string[]): JobChanges {
  const changes = set.map((text) => {
    const [, field = "", value = ""] = /^(\w+)=([\s\S]*)$/.exec(text) ?? [];
    const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
    if (read === undefined) {
      const known = Object.keys(FIELDS).join(", ");
      throw new HostError("ERR_CONFIG_INVALID", `--set ${text}: expected field=value with one of ${known}`);
    }
    return read(value);
  });
  return Object.assign({}, ...changes);
}

function numberOf(field: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new HostError("ERR_CONFIG_INVALID", `--set ${field}=${value}: expected a whole number`);
}

const namesOf = (value: string): readonly string[] => value.split(",").filter((name) => name !== "");
