import { toHex } from "../bytes/index.ts";
import type { ContributionBody, Task } from "../message/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { makeManifest, parametersSource } from "../stream/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { Held } from "./held-answer.ts";
import type { JobPlugins } from "./job-plugins.ts";
import type { JobPrivacy } from "./job-privacy.ts";
import type { LocalOutcome } from "./local/index.ts";
import type { StatusBoard } from "./status-board.ts";
import { describeUpdate } from "./update.ts";

/** What was done for a task. */
export interface DoneTask {
  readonly task: Task;
  readonly outcome: LocalOutcome;
  /** The received model on held-out examples, where there are any. */
  readonly measured: Pick<ContributionBody, "evaluation">;
}

/** The job whose update it is. */
export interface UpdatingJob {
  readonly jobId: string;
  readonly chunkBytes: number;
  /** Where the tensors of an update lie. */
  readonly layout: TensorLayout;
  readonly privacy: JobPrivacy;
  readonly plugins: JobPlugins;
  readonly board: StatusBoard;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
}

/**
 * Filters the update, hashes it once and writes down what leaves.
 * @throws FilterError, PluginError, StorageError when it may not leave; TrainingError when it is not the job's, or not finite
 */
export async function holdUpdate({ task, outcome, measured }: DoneTask, job: UpdatingJob): Promise<Held> {
  const { jobId, layout: expected, chunkBytes, clock, crypto, board } = job;
  const { update, tellsMetrics, privacy } = await job.privacy.release(outcome.update, task);
  const { tensors, norm } = await describeUpdate(update, expected, clock);
  const { source, layout } = parametersSource(update);
  const { exampleCount, loss, steps, onCommitted } = outcome;
  await job.plugins.beforeResult(task, { tensors: layout.tensors, norm, exampleCount, tellsMetrics });
  const { byteLength: totalBytes } = layout;
  const manifest = await makeManifest(source, { totalBytes, chunkBytes }, { crypto, clock });
  const digest = toHex(manifest.root);
  const shown = { jobId, round: task.round, tensors, totalBytes, norm, exampleCount, privacy, digest };
  board.addOutgoing({ ...shown, receipt: "none", cause: "" });
  const facts = { jobId, taskId: task.taskId, baseVersion: task.version, exampleCount, steps };
  const told = tellsMetrics ? { trainingLoss: loss, ...measured } : {};
  const body = { ...facts, norm, manifest, tensors: layout.tensors, ...told };
  const messageId = crypto.randomBytes(16);
  return { body, source, messageId, session: undefined, onCommitted, sending: new AbortController() };
}
