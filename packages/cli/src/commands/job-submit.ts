import { type JobHandle, RequestError } from "@photinus/core/console";
import { HostError, JobError } from "@photinus/core/errors";
import type { JobBundle } from "@photinus/core/job";
import type { CommandContext } from "../context.ts";
import { followJob } from "../job/follow-job.ts";
import { type ReadJob, readJob } from "../job/read-job.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

/** Options of `photinus job submit`. */
export interface JobSubmitOptions extends PersonOptions {
  /** The same user's same token is the same job. */
  readonly submitToken?: string;
  /** Follow the job to its end. */
  readonly watch?: boolean;
  /** Study whose job it is, where the file names none. */
  readonly study?: string;
}

/**
 * Hands a job in; resolves when it is durable at the server, or, to be watched, has ended well.
 * @throws as `readJob` and `withFederation`; ReportedFailure when a watched job did not end well
 */
export async function submitJob(
  file: string,
  { submitToken, watch = false, study, ...options }: JobSubmitOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { bundle: read, at } = await readJob(file); // before a session is opened: most mistakes are in the file
  const bundle = study === undefined ? read : inStudy(read, study);
  await withFederation(
    options,
    async ({ federation, signal }) => {
      const token = submitToken === undefined ? {} : { submitToken };
      const job = await located(at, federation.submit(bundle, { ...token, signal }));
      terminal.line(`Job ${job.jobId} submitted: ${bundle.definition.name}`);
      await tellHandedIn(job, { watch, kit: options.kit }, { terminal, signal });
    },
    context,
  );
}

/** @throws HostError `ERR_CONFIG_INVALID` when the file names another one */
function inStudy({ definition, ...rest }: JobBundle, study: string): JobBundle {
  if (definition.study === undefined || definition.study === study)
    return { ...rest, definition: { ...definition, study } };
  throw new HostError("ERR_CONFIG_INVALID", `the job names study ${definition.study}, --study says ${study}`);
}

/** What the server has against a field is told where the field stands. @throws JobError `ERR_JOB_INVALID` */
async function located<Result>(at: ReadJob["at"], work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    const [, path] =
      cause instanceof RequestError ? (/^([a-zA-Z]+(?:\.[^:\s]+)?): /.exec(cause.message) ?? []) : [];
    if (path === undefined || !(cause instanceof RequestError) || cause.code !== "ERR_JOB_INVALID")
      throw cause;
    const steps = path.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    throw new JobError("ERR_JOB_INVALID", `${at(steps)} ${cause.message}`, { cause });
  }
}

/** A job that was handed in is followed to its end, or said how to. @throws as `followJob` */
export async function tellHandedIn(
  job: JobHandle,
  { watch, kit, ...facts }: HandedInOptions,
  modules: Pick<CommandContext, "terminal" | "signal">,
): Promise<void> {
  const { terminal } = modules;
  const told = { jobId: job.jobId, ...facts };
  if (watch) {
    terminal.event({ event: "submitted", ...told });
    await followJob(job, modules);
    return;
  }
  terminal.note(`Follow it: photinus job watch ${job.jobId} --kit ${kit}`);
  terminal.result(told);
}

/** How a job that was handed in is told. */
export interface HandedInOptions {
  /** Follow it to its end. */
  readonly watch: boolean;
  /** Folder of the kit. */
  readonly kit: string;
  /** Id of the job that it was cloned from. */
  readonly clonedFrom?: string;
}
