import type { JobHandle } from "@photinus/core/console";
import type { CommandContext } from "../context.ts";
import { followJob } from "../job/follow-job.ts";
import { readJob } from "../job/read-job.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

/** Options of `photinus job submit`. */
export interface JobSubmitOptions extends PersonOptions {
  /** The same user's same token is the same job. */
  readonly submitToken?: string;
  /** Follow the job to its end. */
  readonly watch?: boolean;
}

/**
 * Hands a job in; resolves when it is durable at the server, or, to be watched, has ended well.
 * @throws as `readJob` and `withFederation`; ReportedFailure when a watched job did not end well
 */
export async function submitJob(
  file: string,
  { submitToken, watch = false, ...options }: JobSubmitOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { bundle } = await readJob(file); // before a session is opened: most mistakes are in the file
  await withFederation(
    options,
    async ({ federation, signal }) => {
      const token = submitToken === undefined ? {} : { submitToken };
      const job = await federation.submit(bundle, { ...token, signal });
      terminal.line(`Job ${job.jobId} submitted: ${bundle.definition.name}`);
      await tellHandedIn(job, { watch, kit: options.kit }, { terminal, signal });
    },
    context,
  );
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
