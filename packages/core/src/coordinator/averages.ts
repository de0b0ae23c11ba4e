import { type Evaluation, type MetricDefinition, metricValues } from "../job/index.ts";
import type { TaskOutcome } from "../workflow/index.ts";

/** Views and journals hold no larger count. */
const MAX_SHOWN_EXAMPLES = 2 ** 48;

/**
 * Mean of the accepted sites' evaluations, weighted by held-out examples; `undefined` when there are none.
 * @param told the job's metrics and their sums of these sites, where any told them: of these, a mean would be another number
 */
export function averageEvaluation(
  outcomes: readonly TaskOutcome[],
  told?: { readonly metrics: readonly MetricDefinition[]; readonly sums: Float64Array | undefined },
): Evaluation | undefined {
  let exampleCount = 0;
  let loss = 0;
  let accuracy = 0;
  for (const { outcome, evaluation } of outcomes) {
    if (outcome !== "accepted" || evaluation === undefined) continue;
    exampleCount += evaluation.exampleCount;
    loss += evaluation.loss * evaluation.exampleCount;
    accuracy += evaluation.accuracy * evaluation.exampleCount;
  }
  if (exampleCount === 0) return undefined;
  const mean = { loss: loss / exampleCount, accuracy: accuracy / exampleCount };
  const shown = { ...mean, exampleCount: Math.min(exampleCount, MAX_SHOWN_EXAMPLES) };
  return told?.sums === undefined ? shown : { ...shown, metrics: metricValues(told.metrics, told.sums) };
}

/** Mean local training loss of the accepted contributions that tell it, weighted by training examples; 0 of none. */
export function meanTrainingLoss(outcomes: readonly TaskOutcome[]): number {
  let weight = 0;
  let loss = 0;
  for (const { outcome, exampleCount, trainingLoss } of outcomes) {
    if (outcome !== "accepted" || trainingLoss === 0) continue; // 0: unknown
    weight += exampleCount;
    loss += trainingLoss * exampleCount;
  }
  return weight === 0 ? 0 : loss / weight;
}
