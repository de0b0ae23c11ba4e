import { TrainingError } from "@photinus/core/errors";
import type { ScheduleDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainOptions } from "@photinus/core/site";
import type { Dataset } from "../data/index.ts";
import { rateFactor } from "../optimizer/index.ts";
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
  /** Mean loss over all steps that were not left out. */
  readonly loss: number;
  /** Steps taken. */
  readonly steps: number;
  /** Updates that were left out. */
  readonly skippedUpdates: number;
}

/**
 * Passes over the shuffled examples in batches; the last batch of a pass is padded and masked, and closes an update.
 * @throws TrainingError `ERR_TRAINING_NOT_FINITE` at the first step whose loss is no finite number, or when all updates
 *   were left out; `ERR_DATA_MALFORMED` for a label that is no class; the signal's reason when it is aborted
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
      const { loss, isSkipped } = await gathering.step(batch, { dataset, rate, isLast });
      tally.add(loss, isSkipped);
      await pacing.after(tally.steps, loss);
    }
  }
  return tally.outcome();
}

/** Steps whose gradients become updates together. */
class Gathering {
  readonly #session: StepSession;
  readonly #batchesPerUpdate: number;
  #batches = 0;
  #labels = 0;

  constructor(session: StepSession, batchesPerUpdate: number) {
    this.#session = session;
    this.#batchesPerUpdate = batchesPerUpdate;
  }

  /** @returns the mean loss of the batch, and whether an update was left out */
  async step(
    indices: Uint32Array,
    { dataset, rate, isLast }: { dataset: Dataset; rate: number; isLast: boolean },
  ): Promise<{ readonly loss: number; readonly isSkipped: boolean }> {
    const { batch } = this.#session;
    if (this.#batchesPerUpdate === 1) {
      batch.fill(dataset, indices);
      const loss = await this.#session.step(rate);
      return { loss, isSkipped: !this.#session.hasUpdated };
    }
    const labels = batch.read(dataset, indices);
    batch.weigh(1, indices.length);
    this.#labels += labels;
    this.#batches++;
    const closes = (isLast || this.#batches === this.#batchesPerUpdate) && this.#labels > 0;
    const sum = await this.#session.step(rate, closes ? 1 / this.#labels : 0);
    if (closes) [this.#batches, this.#labels] = [0, 0];
    return { loss: sum / Math.max(1, labels), isSkipped: closes && !this.#session.hasUpdated };
  }
}

/** Adds up what the steps did. */
class Tally {
  readonly #planned: number;
  readonly #skips: boolean;
  #lossSum = 0;
  #finite = 0;
  #skipped = 0;
  #steps = 0;

  constructor(planned: number, skips: boolean) {
    this.#planned = planned;
    this.#skips = skips;
  }

  get steps(): number {
    return this.#steps;
  }

  add(loss: number, isSkipped: boolean): void {
    this.#steps++;
    if (isSkipped) this.#skipped++;
    if (Number.isFinite(loss)) {
      this.#finite++;
      this.#lossSum += loss;
    } else if (!this.#skips) {
      notFinite(`the loss of step ${this.#steps} of ${this.#planned} is ${loss}`);
    }
  }

  outcome(): EpochsOutcome {
    if (this.#finite === 0) notFinite(`no loss of ${this.#steps} steps is a finite number`);
    return { loss: this.#lossSum / this.#finite, steps: this.#steps, skippedUpdates: this.#skipped };
  }
}

function notFinite(what: string): never {
  throw new TrainingError("ERR_TRAINING_NOT_FINITE", what);
}
