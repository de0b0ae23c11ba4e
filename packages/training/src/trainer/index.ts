export {
  type RuntimeCandidate,
  type RuntimeChoice,
  type TriedRuntime,
  tryRuntime,
} from "./choose-runtime.ts";
export { LocalTrainer, type LocalTrainerModules } from "./local-trainer.ts";
export { checkParameterTable, type ParameterTableOptions, parameterTable } from "./parameter-table.ts";
