import type { CommandContext } from "../context.ts";
import { awaitJob, followJob } from "../job/follow-job.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

type Following = (jobId: string, options: PersonOptions, context: CommandContext) => Promise<void>;

/** Tells each round of a job until it ends. @throws as `followJob` */
export const watchJob: Following = following(followJob);

/** Waits for the end of a job: the exit code tells it. @throws as `awaitJob` */
export const waitForJob: Following = following(awaitJob);

function following(follow: typeof followJob): Following {
  return (jobId, options, context) =>
    withFederation(
      options,
      ({ federation, signal }) => follow(federation.job(jobId), { terminal: context.terminal, signal }),
      context,
    );
}

/** Options of `photinus job abort` and `photinus job delete`. */
export interface JobOrderOptions extends PersonOptions {
  /** Why, for people. */
  readonly reason: string;
}

/** Ends a job for good, by an order that the user signs. @throws as `withFederation` */
export async function abortJob(
  jobId: string,
  { reason, ...options }: JobOrderOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  await withFederation(
    options,
    ({ federation, signal }) => federation.job(jobId).abort({ reason, signal }),
    context,
  );
  terminal.line(`Job ${jobId} was ended.`);
  terminal.result({ jobId, aborted: true });
}

/** Deletes a job that has ended, by an order that the user signs. @throws as `withFederation` */
export async function deleteJob(
  jobId: string,
  { reason, ...options }: JobOrderOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  await withFederation(
    options,
    ({ federation, signal }) => federation.job(jobId).delete({ reason, signal }),
    context,
  );
  terminal.line(`Job ${jobId} was deleted.`);
  terminal.result({ jobId, deleted: true });
}
