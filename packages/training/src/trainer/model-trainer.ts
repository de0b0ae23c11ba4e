import type { Bytes } from "@photinus/core/bytes";
import type { MetricDefinition, TrainingDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainProgress } from "@photinus/core/site";
import type { ParameterDescriptor, ParameterSet } from "@photinus/core/tensor";
import type { Dataset } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { RejectedDevice, RuntimeChoice } from "./choose-runtime.ts";
import type { MeasuredEvaluation } from "./evaluate-dataset.ts";
import type { StepOutcome } from "./gathering.ts";
import type { StepMemory } from "./step-bytes.ts";
import type { EpochsOutcome } from "./train-epochs.ts";

/** Options of one call. */
export interface CallOptions {
  /** Stops the work when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called at most a few times per second. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Options of one step. */
export interface StepCallOptions {
  /** Where the schedule of the learning rate is, in epochs. Default: the epochs that `train` has passed. */
  readonly epoch?: number;
  /** True to close an update that has gathered fewer than `batchesPerUpdate` batches. Default: false. */
  readonly closesUpdate?: boolean;
}

/** What a {@link ModelTrainer} trains: a file, and loss, optimizer and the rest as a job's definition has them. */
export interface ModelTrainerOptions extends Omit<TrainingDefinition, "localEpochs"> {
  /** The forward ONNX file. */
  readonly model: Bytes;
  /** What `train` passes over. Fixes sizes that the file only names, as "sequence". */
  readonly data?: Dataset;
  /** Such sizes, where there is no `data`. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** Which parameters to train. Default: those of `parameterTable`. */
  readonly parameters?: readonly ParameterDescriptor[];
  /** What `evaluate` measures beside loss and accuracy. Default: nothing. */
  readonly metrics?: readonly MetricDefinition[];
  /** Unsigned 32-bit seed of shuffles and Dropout. Default: 0. */
  readonly seed?: number;
}

/** Where `createTrainer` trains. */
export interface CreateTrainerOptions extends ModelTrainerOptions, Pick<CallOptions, "signal"> {
  /** Devices in order of preference, of which the first is taken where a step works, or a choice among them. */
  readonly runtimes: readonly Runtime[] | RuntimeChoice;
  /** Time. */
  readonly clock: Clock;
}

/** Trains a model on its own, outside a federation. One call at a time: a second one is a TypeError. */
export interface ModelTrainer {
  /** Where the steps run. */
  readonly device: Profile;
  /** Devices that were tried and not taken, each with the reason. */
  readonly rejected: readonly RejectedDevice[];
  /** What a step needs. */
  readonly memory: StepMemory;
  /** Its parameter table. */
  readonly table: readonly ParameterDescriptor[];
  /**
   * One step on all examples of `batch`, at most `batchSize`; fewer are padded, and the padding weighs nothing.
   * @throws TrainingError `ERR_TRAINING_NOT_FINITE`, `ERR_MODEL_SHAPE`, `ERR_DATA_MALFORMED`; RangeError for an empty or
   *   too large batch
   */
  step(batch: Dataset, options?: StepCallOptions): Promise<StepOutcome>;
  /**
   * Passes over the data; goes on where the call before ended, the state of the optimizer and the schedule included.
   * @throws TrainingError `ERR_TRAINING_NOT_FINITE`, `ERR_DATA_MALFORMED`; the signal's reason when it is aborted;
   *   TypeError without data
   */
  train(epochs: number, options?: CallOptions): Promise<EpochsOutcome>;
  /**
   * Mean loss, accuracy and the metrics on data of the same kind.
   * @throws TrainingError `ERR_MODEL_SHAPE` when the data does not fit the model, `ERR_DATA_MISSING` when there is none
   */
  evaluate(dataset: Dataset, options?: CallOptions): Promise<MeasuredEvaluation>;
  /** All parameters as they are, those that are not trained included. */
  parameters(): Promise<ParameterSet>;
  /**
   * Begins anew from these parameters: with a fresh optimizer, schedule and seed.
   * @param parameters all of the table, those that are not trained included; kept, not changed
   * @throws RangeError when one is missing or of another shape
   */
  load(parameters: ParameterSet): Promise<void>;
  /** The file with the parameters as they are. */
  save(): Promise<Bytes>;
  /** Stops what runs and frees the device; idempotent. */
  dispose(): Promise<void>;
}

/** @throws RangeError unless there are 1 to `batchSize` examples */
export function requireBatch({ count }: Dataset, batchSize: number): void {
  if (count < 1 || count > batchSize)
    throw new RangeError(`a batch of ${count} examples, expected 1 to ${batchSize}`);
}

/** @throws RangeError unless it is a whole number above 0 */
export function requireEpochs(epochs: number): void {
  if (!Number.isSafeInteger(epochs) || epochs < 1)
    throw new RangeError(`epochs must be a whole number above 0, got ${epochs}`);
}

/** @throws RangeError unless all of the table are there, in its types and shapes */
export function requireParameters(parameters: ParameterSet, table: readonly ParameterDescriptor[]): void {
  for (const { name, dtype, shape } of table) {
    const given = parameters.get(name);
    if (given?.dtype === dtype && given.shape.join() === shape.join()) continue;
    throw new RangeError(`${name} is ${given?.dtype}[${given?.shape}], expected ${dtype}[${shape}]`);
  }
}
