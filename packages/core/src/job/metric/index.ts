import { areaUnderCurve } from "./area-under-curve.ts";
import { confusionMatrix, perplexity, topK } from "./classification.ts";
import { determination } from "./determination.ts";
import type { Metric } from "./metric.ts";

export type { Metric, MetricBatch } from "./metric.ts";

/** What is measured on held-out examples beside loss and accuracy. */
export type MetricDefinition =
  | {
      /** `confusion-matrix` shows the balanced accuracy, `auc` is of yes and no, `r2` of numbers. */
      readonly name: "confusion-matrix" | "auc" | "perplexity" | "r2";
    }
  | {
      /** The label is among the `k` greatest logits. */
      readonly name: "top-k";
      /** 1 to 1 000. */
      readonly k: number;
    };

/** Most sums of one metric: a confusion matrix of 64 classes. */
export const MAX_METRIC_SUMS = 4096;

/** The metric that a definition names. */
export function metricOf(definition: MetricDefinition): Metric {
  switch (definition.name) {
    case "confusion-matrix":
      return confusionMatrix;
    case "auc":
      return areaUnderCurve;
    case "perplexity":
      return perplexity;
    case "r2":
      return determination;
    case "top-k":
      return topK(definition.k);
  }
}

/** Why a metric says nothing of a model of so many classes (1 for numbers); undefined where it does. */
export function metricProblem(definition: MetricDefinition, classCount: number): string | undefined {
  const metric = metricOf(definition);
  const outputs = classCount === 1 ? "single numbers" : `${classCount} classes`;
  if (!metric.fits(classCount)) return `${definition.name} says nothing of ${outputs}`;
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
