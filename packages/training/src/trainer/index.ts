export { adviseBatchSize, type BatchSizeAdvice } from "./advise-batch-size.ts";
export { checkMetrics } from "./check-metrics.ts";
export {
  type RejectedDevice,
  type RuntimeCandidate,
  type RuntimeChoice,
  type TriedRuntime,
  tryRuntime,
} from "./choose-runtime.ts";
export { compileFor, valuesInside } from "./compile-training.ts";
export { createTrainer } from "./create-trainer.ts";
export type { MeasuredEvaluation, MeasuredMetric } from "./evaluate-dataset.ts";
export type { StepOutcome } from "./gathering.ts";
export { LocalTrainer, type LocalTrainerModules } from "./local-trainer.ts";
export {
  type CallOptions,
  type CreateTrainerOptions,
  type ModelTrainer,
  type ModelTrainerOptions,
  requireBatch,
  requireEpochs,
  requireParameters,
  type StepCallOptions,
} from "./model-trainer.ts";
export { OneAtATime } from "./one-at-a-time.ts";
export { checkParameterTable, type ParameterTableOptions, parameterTable } from "./parameter-table.ts";
export type { StepMemory } from "./step-bytes.ts";
export type { EpochsOutcome } from "./train-epochs.ts";
