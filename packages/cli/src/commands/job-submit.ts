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
      if (watch) {
        terminal.event({ event: "submitted", jobId: job.jobId });
        await followJob(job, { terminal, signal });
        return;
      }
      terminal.note(`Follow it: photinus job watch ${job.jobId} --kit ${options.kit}`);
      terminal.result({ jobId: job.jobId });
    },
    context,
  );
}
