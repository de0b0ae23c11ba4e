import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import type { TrainOptions } from "@photinus/core/site";
import { type ParameterDescriptor, ParameterSet } from "@photinus/core/tensor";
import { type Dataset, transformDataset } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";
import { type Model, withInitializers, writeModel } from "../onnx/index.ts";
import { rateFactor } from "../optimizer/index.ts";
import { seededRandom, transformSeed } from "../random.ts";
import { checkFit, type EvaluationSession, type StepSession } from "../runtime/index.ts";
import type { RejectedDevice } from "./choose-runtime.ts";
import { valuesInside } from "./compile-training.ts";
import { evaluateDataset, type MeasuredEvaluation } from "./evaluate-dataset.ts";
import { Gathering, type StepOutcome } from "./gathering.ts";
import {
  type CallOptions,
  type CreateTrainerOptions,
  type ModelTrainer,
  requireBatch,
  requireEpochs,
  requireParameters,
  type StepCallOptions,
} from "./model-trainer.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import type { StepMemory } from "./step-bytes.ts";
import { type EpochsOutcome, trainEpochs } from "./train-epochs.ts";

/** What a {@link LocalModelTrainer} is made of. */
export interface OpenModel {
  /** The file. */
  readonly model: Model;
  /** Its parameter table. */
  readonly parameters: readonly ParameterDescriptor[];
  /** Open on the device. */
  readonly step: StepSession;
  /** Open on the device. */
  readonly evaluation: EvaluationSession;
  /** Where they are open. */
  readonly device: Profile;
  /** Where they are not. */
  readonly rejected: readonly RejectedDevice[];
  /** What a step needs there. */
  readonly memory: StepMemory;
}

/** Trains in this thread. */
export class LocalModelTrainer implements ModelTrainer {
  readonly #options: CreateTrainerOptions;
  readonly #open: OpenModel;
  readonly #work = new OneAtATime();
  readonly #end = new AbortController();
  /** What was loaded last: the steps do not change what of it is not trained. */
  #loaded: ParameterSet;
  #random: ReturnType<typeof seededRandom>;
  /** What transforms draw from. */
  #drawn: ReturnType<typeof seededRandom>;
  /** Of the steps that were taken one by one. */
  #gathering: Gathering;
  #epochs = 0;
  #closing: Promise<void> | undefined;

  /** Called by `createTrainer`. */
  constructor(options: CreateTrainerOptions, open: OpenModel) {
    this.#options = options;
    this.#open = open;
    this.#loaded = valuesInside(open.model, open.parameters);
    this.#random = this.#start(this.#loaded);
    this.#drawn = this.#newDrawn();
    this.#gathering = this.#newGathering();
  }

  /** See {@link ModelTrainer.device}. */
  get device(): Profile {
    return this.#open.device;
  }

  /** See {@link ModelTrainer.rejected}. */
  get rejected(): readonly RejectedDevice[] {
    return this.#open.rejected;
  }

  /** See {@link ModelTrainer.memory}. */
  get memory(): StepMemory {
    return this.#open.memory;
  }

  /** See {@link ModelTrainer.table}. */
  get table(): readonly ParameterDescriptor[] {
    return this.#open.parameters;
  }

  /** See {@link ModelTrainer.step}. */
  step(
    batch: Dataset,
    { epoch = this.#epochs, closesUpdate = false }: StepCallOptions = {},
  ): Promise<StepOutcome> {
    const { batchSize, optimizer, schedule, onNotFinite, transforms } = this.#options;
    return this.#run(async () => {
      requireBatch(batch, batchSize);
      const dataset = transformDataset(batch, transforms, this.#drawn);
      checkFit(dataset, this.#open.evaluation.compiled);
      const rate = optimizer.learningRate * rateFactor(schedule, epoch);
      const step = { dataset, rate, isLast: closesUpdate };
      const outcome = await this.#gathering.step(allOf(batch), step);
      if (outcome.loss !== undefined && !Number.isFinite(outcome.loss) && onNotFinite !== "skip") {
        throw new TrainingError("ERR_TRAINING_NOT_FINITE", `the loss of a step is ${outcome.loss}`);
      }
      return outcome;
    });
  }

  /** See {@link ModelTrainer.train}. */
  train(epochs: number, options: CallOptions = {}): Promise<EpochsOutcome> {
    const { data, batchSize, optimizer, schedule, batchesPerUpdate = 1, onNotFinite, clock } = this.#options;
    const { transforms } = this.#options;
    return this.#run(async () => {
      requireEpochs(epochs);
      if (data === undefined) throw new TypeError("the trainer was created without data");
      const outcome = await trainEpochs(this.#open.step, {
        ...this.#withSignal(options),
        ...{
          dataset: transformDataset(data, transforms, this.#drawn),
          batchSize,
          epochs,
          schedule,
          batchesPerUpdate,
          clock,
        },
        learningRate: optimizer.learningRate,
        epochsBefore: this.#epochs,
        skips: onNotFinite === "skip",
        random: this.#random,
      }).finally(() => {
        this.#gathering = this.#newGathering();
      });
      this.#epochs += epochs;
      return outcome;
    });
  }

  /** See {@link ModelTrainer.evaluate}. */
  evaluate(given: Dataset, options: CallOptions = {}): Promise<MeasuredEvaluation> {
    const { batchSize, clock, metrics = [], transforms } = this.#options;
    const { evaluation } = this.#open;
    return this.#run(async () => {
      const dataset = transformDataset(given, transforms);
      if (dataset.count === 0)
        throw new TrainingError("ERR_DATA_MISSING", "there are no examples to evaluate");
      checkFit(dataset, evaluation.compiled);
      evaluation.start(await this.#parameters());
      return evaluateDataset(evaluation, {
        ...this.#withSignal(options),
        dataset,
        batchSize,
        clock,
        metrics,
      });
    });
  }

  /** See {@link ModelTrainer.parameters}. */
  parameters(): Promise<ParameterSet> {
    return this.#run(() => this.#parameters());
  }

  /** See {@link ModelTrainer.load}. */
  load(parameters: ParameterSet): Promise<void> {
    return this.#run(async () => {
      requireParameters(parameters, this.table);
      this.#random = this.#start(parameters);
      this.#drawn = this.#newDrawn();
      this.#loaded = parameters;
      this.#gathering = this.#newGathering();
      this.#epochs = 0;
    });
  }

  /** See {@link ModelTrainer.save}. */
  save(): Promise<Bytes> {
    const { model } = this.#open;
    return this.#run(async () => writeModel(withInitializers(model, (await this.#parameters()).entries())));
  }

  /** See {@link ModelTrainer.dispose}. */
  dispose(): Promise<void> {
    this.#closing ??= this.#dispose();
    return this.#closing;
  }

  async #dispose(): Promise<void> {
    this.#end.abort(new TypeError("the trainer was disposed"));
    await this.#work.idle();
    await this.#open.step.close();
    await this.#open.evaluation.close();
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(async () => {
      this.#end.signal.throwIfAborted();
      return work();
    });
  }

  #start(parameters: ParameterSet): ReturnType<typeof seededRandom> {
    const random = seededRandom(this.#options.seed ?? 0);
    this.#open.step.start(parameters, random.uint32());
    return random;
  }

  #newDrawn(): ReturnType<typeof seededRandom> {
    return seededRandom(transformSeed(this.#options.seed ?? 0));
  }

  #newGathering(): Gathering {
    return new Gathering(this.#open.step, this.#options.batchesPerUpdate ?? 1);
  }

  async #parameters(): Promise<ParameterSet> {
    const trained = await this.#open.step.parameters();
    return new ParameterSet(
      this.#loaded.entries().map(([name, tensor]) => [name, trained.get(name) ?? tensor]),
    );
  }

  #withSignal({ signal, onProgress }: CallOptions): TrainOptions {
    const end = this.#end.signal;
    const either = { signal: signal === undefined ? end : AbortSignal.any([signal, end]) };
    return onProgress === undefined ? either : { ...either, onProgress };
  }
}

function allOf({ count }: Dataset): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}
