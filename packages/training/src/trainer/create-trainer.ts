import { TrainingError } from "@photinus/core/errors";
import { metricOf } from "@photinus/core/job";
import { compileEvaluation } from "../compile/index.ts";
import { transformDataset } from "../data/index.ts";
import { type Model, readModel } from "../onnx/index.ts";
import { checkFit, EvaluationSession, type Runtime } from "../runtime/index.ts";
import { adviceFor } from "./advise-batch-size.ts";
import { checkMetrics } from "./check-metrics.ts";
import { chooseRuntime, type RuntimeChoice } from "./choose-runtime.ts";
import { compileFor, dimensionsOf, valuesInside } from "./compile-training.ts";
import { LocalModelTrainer } from "./local-model-trainer.ts";
import type { CreateTrainerOptions, ModelTrainer, ModelTrainerOptions } from "./model-trainer.ts";
import { parameterTable } from "./parameter-table.ts";

/**
 * Opens a model for training in this thread, on a device that works: steps block it, so that hosts do this in a worker
 * (`createTrainer` of `@photinus/node-client` and `@photinus/web-client`).
 * @throws TrainingError of the model, `ERR_MODEL_SHAPE` when the data or a metric does not fit it, `ERR_DATA_MISSING` when
 *   there are no examples, `ERR_DEVICE_UNAVAILABLE` with the reason of each device
 */
export async function createTrainer(options: CreateTrainerOptions): Promise<ModelTrainer> {
  const { clock, batchSize, metrics = [] } = options;
  const data = options.data && transformDataset(options.data, options.transforms);
  const model = readModel(options.model);
  const parameters = options.parameters ?? parameterTable(model);
  const frame = {
    parameters,
    loss: options.loss,
    batchSize,
    dimensions: sizesOf(model, { ...options, ...(data && { data }) }),
  };
  const withOutput = metrics.some((metric) => metricOf(metric).readsOutput);
  const compiled = compileEvaluation(model, { ...frame, withOutput });
  if (data?.count === 0) throw new TrainingError("ERR_DATA_MISSING", "there are no examples to train on");
  if (data !== undefined) checkFit(data, compiled);
  checkMetrics(metrics, compiled.labelling.classCount ?? 1);
  const { runtime, session, ...choice } = await chooseRuntime(choiceOf(options.runtimes), {
    compile: (profile) => compileFor(model, options, { ...frame, profile }),
    parameters: valuesInside(model, parameters),
    ...{ clock, signal: options.signal },
    advise: adviceFor((size) => compileFor(model, options, { ...frame, batchSize: size, profile: "cpu" })),
  });
  const evaluation = await EvaluationSession.open(runtime, compiled).catch(async (cause: unknown) => {
    await session.close();
    throw cause;
  });
  const opened = { model, parameters, step: session, evaluation, device: runtime.device, ...choice };
  const trainer = new LocalModelTrainer(options, opened);
  if (options.signal?.aborted) {
    await trainer.dispose();
    options.signal.throwIfAborted();
  }
  return trainer;
}

function sizesOf(model: Model, { data, dimensions = {} }: ModelTrainerOptions): ReadonlyMap<string, number> {
  const ofData = data === undefined ? [] : dimensionsOf(model, data);
  return new Map([...Object.entries(dimensions), ...ofData]);
}

function choiceOf(runtimes: readonly Runtime[] | RuntimeChoice): RuntimeChoice {
  if ("candidates" in runtimes) return runtimes;
  const candidates = runtimes.map((runtime) => ({ device: runtime.device, find: async () => runtime }));
  return { candidates, take: "first" };
}
