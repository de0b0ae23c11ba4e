import { type Evaluation, packMetricSums } from "../job/index.ts";
import type { EvaluationResult } from "../message/index.ts";
import type { TrainerEvaluation } from "./trainer.ts";

/** What was measured, as the server hears it: sums of metrics as bytes. */
export function toldEvaluation(
  measured: TrainerEvaluation | undefined,
): Pick<EvaluationResult, "evaluation"> {
  if (measured === undefined) return {};
  const sums = measured.sums === undefined ? {} : { sums: packMetricSums(measured.sums) };
  return { evaluation: { ...shownEvaluation(measured), ...sums } };
}

/** What was measured, as people at the site see it. */
export function shownEvaluation({ loss, accuracy, exampleCount }: TrainerEvaluation): Evaluation {
  return { loss, accuracy, exampleCount };
}
