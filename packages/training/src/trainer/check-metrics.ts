import { TrainingError } from "@photinus/core/errors";
import { type MetricDefinition, metricProblem } from "@photinus/core/job";

/** @throws TrainingError `ERR_MODEL_SHAPE` for a metric that says nothing of the model */
export function checkMetrics(metrics: readonly MetricDefinition[], classCount: number): void {
  for (const metric of metrics) {
    const problem = metricProblem(metric, classCount);
    if (problem !== undefined) throw new TrainingError("ERR_MODEL_SHAPE", problem);
  }
}
