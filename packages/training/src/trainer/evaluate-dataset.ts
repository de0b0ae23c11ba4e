import { TrainingError } from "@photinus/core/errors";
import type { Evaluation } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainOptions } from "@photinus/core/site";
import type { Dataset } from "../data/index.ts";
import type { EvaluationSession } from "../runtime/index.ts";
import { Pacing } from "./pacing.ts";

/** On what to evaluate. */
export interface EvaluateOptions extends TrainOptions {
  /** At least one example. */
  readonly dataset: Dataset;
  /** Examples per run. */
  readonly batchSize: number;
  /** Paces reports. */
  readonly clock: Clock;
}

/**
 * Mean loss and accuracy over all labels that count, of all examples in order.
 * @throws TrainingError `ERR_TRAINING_NOT_FINITE` when the loss is no finite number; the signal's reason when aborted
 */
export async function evaluateDataset(
  session: EvaluationSession,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { dataset, batchSize } = options;
  options.signal.throwIfAborted();
  const order = Uint32Array.from({ length: dataset.count }, (_, index) => index);
  const pacing = new Pacing({ ...options, phase: "evaluating", steps: Math.ceil(dataset.count / batchSize) });
  let lossSum = 0;
  let correct = 0;
  let counted = 0;
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    counted += session.batch.read(dataset, indices);
    session.batch.weigh(1, indices.length);
    const measured = await session.measure();
    lossSum += measured.lossSum;
    correct += measured.correct;
    await pacing.after(start / batchSize + 1);
  }
  const loss = lossSum / counted;
  if (!Number.isFinite(loss))
    throw new TrainingError("ERR_TRAINING_NOT_FINITE", `the loss on held-out data is ${loss}`);
  return { loss, accuracy: correct / counted, exampleCount: dataset.count };
}
