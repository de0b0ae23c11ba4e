import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { type MetricDefinition, metricOf, metricProblem, type TrainingDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainProgress } from "@photinus/core/site";
import { type ParameterDescriptor, ParameterSet } from "@photinus/core/tensor";
import { type CompiledStep, compileEvaluation } from "../compile/index.ts";
import type { Dataset } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";
import { type Model, readModel, withInitializers, writeModel } from "../onnx/index.ts";
import { seededRandom } from "../random.ts";
import { checkFit, EvaluationSession, type Runtime, type StepSession } from "../runtime/index.ts";
import { chooseRuntime } from "./choose-runtime.ts";
import { compileFor, dimensionsOf, valuesInside } from "./compile-training.ts";
import { evaluateDataset, type MeasuredEvaluation } from "./evaluate-dataset.ts";
import { parameterTable } from "./parameter-table.ts";
import { type EpochsOutcome, trainEpochs } from "./train-epochs.ts";

/** What {@link createTrainer} trains, and where. */
export interface CreateTrainerOptions {
  /** The forward ONNX file. */
  readonly model: Bytes;
  /** Loss, optimizer and the rest. */
  readonly training: Omit<TrainingDefinition, "localEpochs">;
  /** What to learn from: fixes the sizes that the file only names. */
  readonly data: Dataset;
  /** Devices in order of preference: the first on which a step works is taken. */
  readonly runtimes: readonly Runtime[];
  /** Time. */
  readonly clock: Clock;
  /** Which parameters to train. Default: those of {@link parameterTable}. */
  readonly parameters?: readonly ParameterDescriptor[];
  /** What {@link ModelTrainer.evaluate} measures beside loss and accuracy. Default: nothing. */
  readonly metrics?: readonly MetricDefinition[];
  /** Unsigned 32-bit seed of shuffles and Dropout. Default: 0. */
  readonly seed?: number;
}

/** Options of one call. */
export interface CallOptions {
  /** Stops the work when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called at most a few times per second. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Trains a model on its own, outside a federation. One call at a time. */
export class ModelTrainer {
  /** Where the steps run. */
  readonly device: Profile;
  readonly #options: CreateTrainerOptions;
  readonly #model: Model;
  readonly #sessions: Sessions;
  readonly #random: ReturnType<typeof seededRandom>;
  /** What was loaded last, of which the steps do not change what is not trained. */
  #loaded: ParameterSet;
  #epochs = 0;

  /** Called by {@link createTrainer}. */
  constructor(options: CreateTrainerOptions, model: Model, sessions: Sessions) {
    this.#options = options;
    this.#model = model;
    this.device = sessions.device;
    this.#sessions = sessions;
    this.#random = seededRandom(options.seed ?? 0);
    this.#loaded = valuesInside(model, tableOf(options, model));
    this.load(this.#loaded);
  }

  /**
   * Goes on from these parameters, with an optimizer that starts anew.
   * @param parameters all of the table, those that are not trained included; kept, not changed
   */
  load(parameters: ParameterSet): void {
    this.#sessions.step.start(parameters, this.#random.uint32());
    this.#loaded = parameters;
    this.#epochs = 0;
  }

  /**
   * Passes over the data; goes on where the call before ended, the state of the optimizer and the schedule included.
   * @throws TrainingError `ERR_TRAINING_NOT_FINITE`, `ERR_DATA_MALFORMED`; the signal's reason when it is aborted
   */
  async train(epochs: number, options: CallOptions = {}): Promise<EpochsOutcome> {
    const { data, training, clock } = this.#options;
    const { batchSize, optimizer, schedule, batchesPerUpdate = 1, onNotFinite } = training;
    const outcome = await trainEpochs(this.#sessions.step, {
      ...withSignal(options),
      ...{ dataset: data, batchSize, epochs, schedule, batchesPerUpdate, clock },
      learningRate: optimizer.learningRate,
      epochsBefore: this.#epochs,
      skips: onNotFinite === "skip",
      random: this.#random,
    });
    this.#epochs += epochs;
    return outcome;
  }

  /**
   * Mean loss, accuracy and the metrics on other data of the same kind.
   * @throws TrainingError `ERR_MODEL_SHAPE` when the data does not fit the model
   */
  async evaluate(dataset: Dataset, options: CallOptions = {}): Promise<MeasuredEvaluation> {
    const { training, clock, metrics = [] } = this.#options;
    const { evaluation } = this.#sessions;
    checkFit(dataset, evaluation.compiled);
    evaluation.start(await this.parameters());
    const { batchSize } = training;
    return evaluateDataset(evaluation, { ...withSignal(options), dataset, batchSize, clock, metrics });
  }

  /** All parameters as they are, those that are not trained included. */
  async parameters(): Promise<ParameterSet> {
    const trained = await this.#sessions.step.parameters();
    return new ParameterSet(
      this.#loaded.entries().map(([name, tensor]) => [name, trained.get(name) ?? tensor]),
    );
  }

  /** The file with the parameters as they are. */
  async save(): Promise<Bytes> {
    return writeModel(withInitializers(this.#model, (await this.parameters()).entries()));
  }

  /** Frees the device. */
  async dispose(): Promise<void> {
    await this.#sessions.step.close();
    await this.#sessions.evaluation.close();
  }
}

interface Sessions {
  readonly device: Profile;
  readonly step: StepSession;
  readonly evaluation: EvaluationSession;
}

/**
 * Opens a model for training on the device that works.
 * @throws TrainingError of the model, `ERR_MODEL_SHAPE` when the data or a metric does not fit it, `ERR_DEVICE_UNAVAILABLE`
 */
export async function createTrainer(options: CreateTrainerOptions): Promise<ModelTrainer> {
  const { training, data, runtimes, clock, metrics = [] } = options;
  const model = readModel(options.model);
  const parameters = tableOf(options, model);
  const { loss, batchSize } = training;
  const frame = { parameters, loss, batchSize, dimensions: dimensionsOf(model, data) };
  const compiled = compileEvaluation(model, {
    ...frame,
    withOutput: metrics.some((metric) => metricOf(metric).readsOutput),
  });
  checkFit(data, compiled);
  for (const metric of metrics) {
    const problem = metricProblem(metric, compiled.labelling.classCount ?? 1);
    if (problem !== undefined) throw new TrainingError("ERR_MODEL_SHAPE", problem);
  }
  const compile = (profile: Profile): CompiledStep => compileFor(model, training, { ...frame, profile });
  const values = valuesInside(model, parameters);
  const candidates = runtimes.map((runtime) => ({ device: runtime.device, find: async () => runtime }));
  const trial = { compile, parameters: values, clock };
  const { runtime, session: step } = await chooseRuntime({ candidates, take: "first" }, trial);
  const evaluation = await EvaluationSession.open(runtime, compiled).catch(async (cause: unknown) => {
    await step.close();
    throw cause;
  });
  return new ModelTrainer(options, model, { device: runtime.device, step, evaluation });
}

function tableOf({ parameters }: CreateTrainerOptions, model: Model): readonly ParameterDescriptor[] {
  return parameters ?? parameterTable(model);
}

function withSignal({ signal = new AbortController().signal, onProgress }: CallOptions): {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
} {
  return onProgress === undefined ? { signal } : { signal, onProgress };
}
