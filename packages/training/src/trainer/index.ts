export {
  type RuntimeCandidate,
  type RuntimeChoice,
  type TriedRuntime,
  tryRuntime,
} from "./choose-runtime.ts";
export { compileFor, valuesInside } from "./compile-training.ts";
export {
  type CallOptions,
  type CreateTrainerOptions,
  createTrainer,
  type ModelTrainer,
} from "./create-trainer.ts";
export type { MeasuredEvaluation, MeasuredMetric } from "./evaluate-dataset.ts";
export { LocalTrainer, type LocalTrainerModules } from "./local-trainer.ts";
export { checkParameterTable, type ParameterTableOptions, parameterTable } from "./parameter-table.ts";
export type { EpochsOutcome } from "./train-epochs.ts";
