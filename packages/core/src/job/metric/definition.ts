import { areaUnderCurve } from "./area-under-curve.ts";
import { confusionMatrix, perplexity, topK } from "./classification.ts";
import { determination } from "./determination.ts";
import type { Metric } from "./metric.ts";

/** What is measured on held-out examples beside loss and accuracy. */
export type MetricDefinition =
  | {
      /** `auc` is of yes and no, `r2` of numbers. */
      readonly name: "auc" | "perplexity" | "r2";
    }
  | {
      /** Shows the balanced accuracy. */
      readonly name: "confusion-matrix";
      /** Classes of the model, 2 to 64; a job says it, since its server does not read the model. Default: as the model has. */
      readonly classes?: number;
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
