export type {
  Evaluation,
  JobBundle,
  JobDefinition,
  TrainingDefinition,
  WorkflowDefinition,
} from "./definition.ts";
