import { TrainingError } from "@photinus/core/errors";
import type { Clock } from "@photinus/core/platform";
import type { TrainOptions } from "@photinus/core/site";
import type { Dataset } from "../data/index.ts";
import { type SeededRandom, shuffledIndices } from "../random.ts";
import type { StepSession } from "../runtime/index.ts";
import { Pacing } from "./pacing.ts";

/** How long and on what to train. */
export interface EpochOptions extends TrainOptions {
  /** Examples to draw from. */
  readonly dataset: Dataset;
  /** Examples per step. */
  readonly batchSize: number;
  /** Passes over the examples. */
  readonly epochs: number;
  /** > 0 */
  readonly learningRate: number;
  /** Shuffles each pass. */
  readonly random: SeededRandom;
  /** Paces reports. */
  readonly clock: Clock;
}

/** What training did. */
export interface EpochsOutcome {
  /** Mean loss over all steps. */
  readonly loss: number;
  /** Steps taken. */
  readonly steps: number;
}

/**
 * Passes over the shuffled examples in batches; the last batch of a pass is padded and masked.
 * @throws TrainingError `ERR_TRAINING_NOT_FINITE` at the first step whose loss is no finite number; the signal's
 *   reason when it is aborted
 */
export async function trainEpochs(session: StepSession, options: EpochOptions): Promise<EpochsOutcome> {
  const { dataset, batchSize, epochs, learningRate, random } = options;
  options.signal.throwIfAborted();
  const steps = epochs * Math.ceil(dataset.count / batchSize);
  const pacing = new Pacing({ ...options, phase: "training", steps });
  let step = 0;
  let lossSum = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffledIndices(dataset.count, random);
    for (let start = 0; start < order.length; start += batchSize) {
      session.batch.fill(dataset, order.subarray(start, start + batchSize));
      const loss = await session.step(learningRate);
      if (!Number.isFinite(loss)) {
        throw new TrainingError(
          "ERR_TRAINING_NOT_FINITE",
          `the loss of step ${step + 1} of ${steps} is ${loss}`,
        );
      }
      lossSum += loss;
      step++;
      await pacing.after(step, loss);
    }
  }
  return { loss: lossSum / steps, steps };
}
