import type { Evaluation } from "../job/index.ts";
import type { TaskOutcome } from "../workflow/index.ts";

/** Views and journals hold no larger count. */
const MAX_SHOWN_EXAMPLES = 2 ** 48;

/** Mean of the accepted sites' evaluations, weighted by held-out examples; `undefined` when there are none. */
export function averageEvaluation(outcomes: readonly TaskOutcome[]): Evaluation | undefined {
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
  return { ...mean, exampleCount: Math.min(exampleCount, MAX_SHOWN_EXAMPLES) };
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
