import type { AbortOptions, JobHandle } from "@photinus/core/console";
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

type Ordering = (jobId: string, options: JobOrderOptions, context: CommandContext) => Promise<void>;

/** Ends a job for good, by an order that the user signs. @throws as `withFederation` */
export const abortJob: Ordering = ordering((job, options) => job.abort(options), {
  said: "was ended",
  result: { aborted: true },
});

/** Deletes a job that has ended, by an order that the user signs. @throws as `withFederation` */
export const deleteJob: Ordering = ordering((job, options) => job.delete(options), {
  said: "was deleted",
  result: { deleted: true },
});

/** What is told of an order that was carried out. */
interface Told {
  readonly said: string;
  readonly result: Readonly<Record<string, boolean>>;
}

function ordering(
  order: (job: JobHandle, options: AbortOptions) => Promise<void>,
  { said, result }: Told,
): Ordering {
  return async (jobId, { reason, ...options }, context) => {
    await withFederation(
      options,
      ({ federation, signal }) => order(federation.job(jobId), { reason, signal }),
      context,
    );
    context.terminal.line(`Job ${jobId} ${said}.`);
    context.terminal.result({ jobId, ...result });
  };
}
