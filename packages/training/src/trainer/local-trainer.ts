import { TrainingError } from "@photinus/core/errors";
import { metricOf } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type {
  PreparedTrainer,
  Trainer,
  TrainerEvaluation,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainRequest,
} from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";
import {
  type CompiledEvaluation,
  type CompiledStep,
  compileEvaluation,
  type FrameOptions,
} from "../compile/index.ts";
import { type DataSource, type Dataset, type SiteData, transformDataset } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";
import { readModel } from "../onnx/index.ts";
import { seededRandom, transformSeed } from "../random.ts";
import { checkFit, EvaluationSession, type StepSession } from "../runtime/index.ts";
import { adviceFor } from "./advise-batch-size.ts";
import { checkMetrics } from "./check-metrics.ts";
import { chooseRuntime, type RuntimeChoice } from "./choose-runtime.ts";
import { compileFor, dimensionsOf, valuesInside } from "./compile-training.ts";
import { evaluateDataset } from "./evaluate-dataset.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { checkParameterTable } from "./parameter-table.ts";
import { subtract } from "./subtract.ts";
import { trainEpochs } from "./train-epochs.ts";

/** What a {@link LocalTrainer} works with. */
export interface LocalTrainerModules {
  /** Devices to choose from. */
  readonly runtimes: RuntimeChoice;
  /** The site's data. */
  readonly data: DataSource;
  /** Paces progress reports and lets other work have turns. */
  readonly clock: Clock;
}

interface Prepared {
  readonly job: TrainerJob;
  /** The training examples as they are at the site. */
  readonly raw: Dataset;
  /** As the model sees them where nothing is random. */
  readonly data: SiteData;
  readonly step: StepSession;
  readonly evaluation: EvaluationSession;
}

/** Trains on the device and data of this thread. One call at a time: a second one is a TypeError. */
export class LocalTrainer implements Trainer {
  readonly #modules: LocalTrainerModules;
  readonly #work = new OneAtATime();
  #prepared: Prepared | undefined;

  /** Does nothing yet; {@link prepare} opens the device. */
  constructor(modules: LocalTrainerModules) {
    this.#modules = modules;
  }

  /**
   * Reads the model, proves that the parameter table is its own, compiles step and evaluation, opens the device and
   * tries a step there.
   * @throws TrainingError of the model, `ERR_DATA_MISSING`, `ERR_DATA_MALFORMED` or `ERR_DEVICE_UNAVAILABLE`
   */
  prepare(job: TrainerJob, { signal }: TrainOptions): Promise<PreparedTrainer> {
    return this.#work.run(async () => {
      await this.#closeSessions();
      const { runtimes, clock } = this.#modules;
      const model = readModel(job.model);
      checkParameterTable(model, job.parameters);
      const { transforms } = job.training;
      const raw = await this.#modules.data(job.dataName);
      const data = {
        training: transformDataset(raw.training, transforms),
        heldOut: raw.heldOut && transformDataset(raw.heldOut, transforms),
      };
      signal.throwIfAborted();
      const frame = { ...frameOptions(job), dimensions: dimensionsOf(model, data.training) };
      const { metrics = [] } = job;
      const withOutput = metrics.some((metric) => metricOf(metric).readsOutput);
      const compiled = compileEvaluation(model, { ...frame, withOutput });
      checkMetrics(metrics, compiled.labelling.classCount ?? 1);
      checkData(data, compiled);
      const compile = (device: Profile): CompiledStep =>
        compileFor(model, job.training, { ...frame, profile: device, corrects: job.corrects ?? false });
      const parameters = valuesInside(model, job.parameters);
      const {
        runtime,
        session: step,
        rejected,
      } = await chooseRuntime(runtimes, {
        ...{ compile, parameters, clock, signal },
        advise: adviceFor((batchSize) =>
          compileFor(model, job.training, { ...frame, batchSize, profile: "cpu" }),
        ),
      });
      const evaluation = await EvaluationSession.open(runtime, compiled).catch(async (cause: unknown) => {
        await step.close();
        throw cause;
      });
      this.#prepared = { job, raw: raw.training, data, step, evaluation };
      signal.throwIfAborted();
      return {
        device: runtime.device,
        trainingExamples: data.training.count,
        heldOutExamples: data.heldOut?.count ?? 0,
        rejected: rejected.map(({ device, reason }) => ({ device, reason: reason.slice(0, 500) })),
      };
    });
  }

  /** Mean loss and accuracy of `parameters` on the held-out examples. */
  evaluate(parameters: ParameterSet, options: TrainOptions): Promise<TrainerEvaluation | undefined> {
    return this.#work.run(async () => {
      const { job, data, evaluation } = this.#require();
      if (data.heldOut === undefined || data.heldOut.count === 0) return undefined;
      evaluation.start(parameters);
      const { metrics = [] } = job;
      const measured = await evaluateDataset(evaluation, {
        ...options,
        metrics,
        ...this.#pace(),
        dataset: data.heldOut,
      });
      const { loss, accuracy, exampleCount } = measured;
      const sums = Float64Array.from(measured.metrics.flatMap((metric) => [...metric.sums]));
      return { loss, accuracy, exampleCount, ...(metrics.length === 0 ? {} : { sums }) };
    });
  }

  /** Runs the job's local epochs from the received parameters. */
  train({ parameters, seed, round, ...more }: TrainRequest, options: TrainOptions): Promise<TrainOutcome> {
    return this.#work.run(async () => {
      const { job, raw, step } = this.#require();
      const {
        optimizer,
        localEpochs,
        schedule,
        batchesPerUpdate = 1,
        onNotFinite,
        transforms,
      } = job.training;
      step.start(parameters, seed, more);
      const outcome = await trainEpochs(step, {
        ...options,
        ...this.#pace(),
        ...{ schedule, batchesPerUpdate, skips: onNotFinite === "skip" },
        dataset: transformDataset(raw, transforms, seededRandom(transformSeed(seed))),
        learningRate: optimizer.learningRate,
        epochs: localEpochs,
        epochsBefore: ((round ?? 1) - 1) * localEpochs,
        random: seededRandom(seed),
      });
      const delta = subtract(await step.parameters(), parameters);
      return { delta, exampleCount: raw.count, ...outcome };
    });
  }

  /** Frees the device. */
  async close(): Promise<void> {
    await this.#closeSessions();
  }

  #pace(): { readonly clock: Clock; readonly batchSize: number } {
    return { clock: this.#modules.clock, batchSize: this.#require().job.training.batchSize };
  }

  #require(): Prepared {
    if (this.#prepared === undefined) throw new TypeError("prepare() comes first");
    return this.#prepared;
  }

  async #closeSessions(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.step.close();
    await prepared?.evaluation.close();
  }
}

function frameOptions({ parameters, training }: TrainerJob): FrameOptions {
  return { parameters, loss: training.loss, batchSize: training.batchSize };
}

/** @throws TrainingError `ERR_MODEL_SHAPE` when the site's examples do not fit the model, `ERR_DATA_MISSING` without any */
function checkData({ training, heldOut }: SiteData, compiled: CompiledEvaluation): void {
  for (const dataset of [training, heldOut]) {
    if (dataset !== undefined) checkFit(dataset, compiled);
  }
  if (training.count === 0) throw new TrainingError("ERR_DATA_MISSING", "the site has no training examples");
}
