import { TrainingError } from "@photinus/core/errors";
import type { ScheduleDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainOptions } from "@photinus/core/site";
import type { Dataset } from "../data/index.ts";
import { rateFactor } from "../optimizer/index.ts";
import { type SeededRandom, shuffledIndices } from "../random.ts";
import type { StepSession } from "../runtime/index.ts";
import { Gathering, type StepOutcome } from "./gathering.ts";
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
  /** How the learning rate changes. Default: it does not. */
  readonly schedule?: ScheduleDefinition | undefined;
  /** Epochs that were trained before, in earlier rounds. */
  readonly epochsBefore: number;
  /** Steps whose gradients become one update; more than 1 only for a step that gathers. */
  readonly batchesPerUpdate: number;
  /** True to leave out updates whose loss or gradient is no finite number, for a step that skips them. */
  readonly skips: boolean;
  /** Shuffles each pass. */
  readonly random: SeededRandom;
  /** Paces reports. */
  readonly clock: Clock;
}

/** What training did. */
export interface EpochsOutcome {
  /** Mean loss over all steps that were not left out and had a label that counts. */
  readonly loss: number;
  /** Steps taken. */
  readonly steps: number;
  /** Updates that were left out. */
  readonly skippedUpdates: number;
}

/**
 * Passes over the shuffled examples in batches; the last batch of a pass is padded and masked, and closes an update.
 * @throws TrainingError `ERR_TRAINING_NOT_FINITE` at the first step whose loss is no finite number, or when all updates
 *   were left out; `ERR_DATA_MALFORMED` for a label that is no class, or when no label counts; the signal's reason when it
 *   is aborted
 */
export async function trainEpochs(session: StepSession, options: EpochOptions): Promise<EpochsOutcome> {
  const { dataset, batchSize, epochs, learningRate, schedule, epochsBefore, random } = options;
  options.signal.throwIfAborted();
  const stepsPerEpoch = Math.ceil(dataset.count / batchSize);
  const pacing = new Pacing({ ...options, phase: "training", steps: epochs * stepsPerEpoch });
  const tally = new Tally(epochs * stepsPerEpoch, options.skips);
  const gathering = new Gathering(session, options.batchesPerUpdate);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffledIndices(dataset.count, random);
    for (let index = 0; index < stepsPerEpoch; index++) {
      const batch = order.subarray(index * batchSize, (index + 1) * batchSize);
      const rate = learningRate * rateFactor(schedule, epochsBefore + epoch + index / stepsPerEpoch);
      const isLast = index === stepsPerEpoch - 1;
      const step = await gathering.step(batch, { dataset, rate, isLast });
      await pacing.after(tally.steps + 1, tally.add(step));
    }
  }
  return tally.outcome();
}

/** Adds up what the steps did. */
class Tally {
  readonly #planned: number;
  readonly #skips: boolean;
  #lossSum = 0;
  #counted = 0;
  #taken = 0;
  #skipped = 0;
  #steps = 0;

  constructor(planned: number, skips: boolean) {
    this.#planned = planned;
    this.#skips = skips;
  }

  get steps(): number {
    return this.#steps;
  }

  /** @returns the loss of the step where it counts */
  add({ kind, loss }: StepOutcome): number | undefined {
    this.#steps++;
    if (kind === "taken") this.#taken++;
    if (kind === "skipped") this.#skipped++;
    if (kind === "skipped" || loss === undefined) return undefined;
    if (!Number.isFinite(loss)) {
      if (this.#skips) return undefined; // the update that it belongs to will be left out
      notFinite(`the loss of step ${this.#steps} of ${this.#planned} is ${loss}`);
    }
    this.#counted++;
    this.#lossSum += loss;
    return loss;
  }

  outcome(): EpochsOutcome {
    if (this.#skipped > 0 && this.#taken === 0) {
      notFinite(`all ${this.#skipped} updates of ${this.#steps} steps were left out`);
    }
    if (this.#counted === 0) {
      throw new TrainingError("ERR_DATA_MALFORMED", "no label of the training examples counts");
    }
    return { loss: this.#lossSum / this.#counted, steps: this.#steps, skippedUpdates: this.#skipped };
  }
}

function notFinite(what: string): never {
  throw new TrainingError("ERR_TRAINING_NOT_FINITE", what);
}
