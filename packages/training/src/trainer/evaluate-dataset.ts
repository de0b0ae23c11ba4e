import { TrainingError } from "@photinus/core/errors";
import { type Evaluation, type MetricDefinition, metricOf } from "@photinus/core/job";
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
  /** What is measured beside loss and accuracy. Default: nothing. */
  readonly metrics?: readonly MetricDefinition[];
}

/** A metric that was measured. */
export interface MeasuredMetric {
  /** What was measured. */
  readonly definition: MetricDefinition;
  /** The number that the sums stand for. */
  readonly value: number;
  /** What makes the number; `mergeSums` of core puts those of several sites together. */
  readonly sums: Float64Array;
}

/** What was measured on a data set. */
export interface MeasuredEvaluation extends Omit<Evaluation, "metrics"> {
  /** In the order they were asked for. */
  readonly metrics: readonly MeasuredMetric[];
}

/**
 * Mean loss, accuracy and metrics over all labels that count, of all examples in order.
 * @throws TrainingError `ERR_TRAINING_NOT_FINITE` when the loss is no finite number; the signal's reason when aborted
 */
export async function evaluateDataset(
  session: EvaluationSession,
  options: EvaluateOptions,
): Promise<MeasuredEvaluation> {
  const { dataset, batchSize, metrics = [] } = options;
  options.signal.throwIfAborted();
  const order = Uint32Array.from({ length: dataset.count }, (_, index) => index);
  const pacing = new Pacing({ ...options, phase: "evaluating", steps: Math.ceil(dataset.count / batchSize) });
  const measures = metrics.map((definition) => {
    const metric = metricOf(definition);
    return { definition, metric, sums: new Float64Array(metric.size(session.layout.classCount)) };
  });
  let [lossSum, correct, counted] = [0, 0, 0];
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    const labels = session.batch.read(dataset, indices);
    session.batch.weigh(1, indices.length);
    const measured = await session.measure();
    const batch = {
      ...session.layout,
      ...measured,
      counted: labels,
      ...session.batch.answers(indices.length),
    };
    for (const { metric, sums } of measures) metric.add(sums, batch);
    counted += labels;
    lossSum += measured.lossSum;
    correct += measured.correct;
    await pacing.after(start / batchSize + 1);
  }
  const loss = lossSum / counted;
  if (!Number.isFinite(loss))
    throw new TrainingError("ERR_TRAINING_NOT_FINITE", `the loss on held-out data is ${loss}`);
  return {
    ...{ loss, accuracy: correct / counted, exampleCount: dataset.count },
    metrics: measures.map(({ definition, metric, sums }) => ({
      definition,
      sums,
      value: metric.finish(sums),
    })),
  };
}
