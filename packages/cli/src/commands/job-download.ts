import { join, resolve } from "node:path";
import type { JobView } from "@photinus/core/message";
import { trainedModel } from "@photinus/training";
import type { CommandContext } from "../context.ts";
import { presentJob } from "../job/present-job.ts";
import { megabytes } from "../megabytes.ts";
import { createFolder, writePrivate } from "../project/folder-change.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

/** Options of `photinus job download`. */
export interface JobDownloadOptions extends PersonOptions {
  /** Folder to make. */
  readonly out: string;
}

/** Names inside the folder. */
const FILE = { model: "model.onnx", metrics: "metrics.json" } as const;

/**
 * Fetches the newest model of a job as an ONNX file, with the job's figures beside it. The folder appears complete or not at
 * all, for its owner only.
 * @throws as `withFederation`; HostError `ERR_CONFIG_INVALID` when something lies there already
 */
export async function downloadJob(
  jobId: string,
  { out, ...options }: JobDownloadOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const folder = resolve(out);
  const { version, model, view } = await withFederation(
    options,
    async ({ federation, signal }) => {
      const job = federation.job(jobId);
      const result = await job.result(signal);
      const onnx = trainedModel(await job.graph(signal), result.model);
      return { version: result.version, model: onnx, view: await presentJob(job, signal) };
    },
    context,
  );
  await createFolder(folder, async (staging) => {
    await writePrivate(join(staging, FILE.model), model);
    await writePrivate(
      join(staging, FILE.metrics),
      `${JSON.stringify(metricsOf(view, version), undefined, 2)}\n`,
    );
  });
  const isNewest = view.state === "finished" ? "" : `, while the job is ${view.state}`;
  terminal.line(
    `${join(folder, FILE.model)}  ${megabytes(model.byteLength)}  of round ${version}${isNewest}`,
  );
  terminal.line(join(folder, FILE.metrics));
  terminal.result({ jobId, version, model: join(folder, FILE.model), metrics: join(folder, FILE.metrics) });
}

/** What is known of how good the model is. */
function metricsOf(view: JobView, version: number): object {
  const { jobId, name, state, reason, initialEvaluation, history } = view;
  const rounds = history
    .filter(({ endedAtMs }) => endedAtMs !== undefined)
    .map(({ round, trainingLoss, evaluation, contributions, startedAtMs, endedAtMs }) => ({
      ...{ round, startedAtMs, endedAtMs, trainingLoss, evaluation },
      sites: contributions.map(({ site, outcome, exampleCount }) => ({ site, outcome, exampleCount })),
    }));
  return { jobId, name, state, reason, version, initialEvaluation, rounds };
}
