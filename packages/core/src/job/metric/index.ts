import { MAX_METRIC_SUMS, type MetricDefinition, metricOf } from "./definition.ts";

export { MAX_METRIC_SUMS, type MetricDefinition, metricOf } from "./definition.ts";
export {
  type MetricValue,
  metricSumCount,
  metricValues,
  packMetricSums,
  unpackMetricSums,
} from "./job-metrics.ts";
export type { Metric, MetricBatch } from "./metric.ts";

/** Why a metric says nothing of a model of so many classes (1 for numbers); undefined where it does. */
export function metricProblem(definition: MetricDefinition, classCount: number): string | undefined {
  const metric = metricOf(definition);
  const outputs = classCount === 1 ? "single numbers" : `${classCount} classes`;
  if (!metric.fits(classCount)) return `${definition.name} says nothing of ${outputs}`;
  if (definition.name === "confusion-matrix" && (definition.classes ?? classCount) !== classCount) {
    return `confusion-matrix of ${definition.classes} classes, the model has ${classCount}`;
  }
  const size = metric.size(classCount);
  return size > MAX_METRIC_SUMS
    ? `${definition.name} of ${outputs} keeps ${size} sums, at most ${MAX_METRIC_SUMS}`
    : undefined;
}

/** The sums of several batches or sites, together. @throws RangeError when they are not of one metric and model */
export function mergeSums(all: readonly ArrayLike<number>[]): Float64Array {
  const merged = new Float64Array(all[0]?.length ?? 0);
  for (const sums of all) {
    if (sums.length !== merged.length) throw new RangeError(`${sums.length} sums and ${merged.length}`);
    for (let index = 0; index < merged.length; index++)
      merged[index] = (merged[index] ?? 0) + (sums[index] ?? 0);
  }
  return merged;
}
