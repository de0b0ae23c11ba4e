export type {
  Collected,
  Dispatch,
  ModelVersion,
  StoredUpdate,
  TaskOrder,
  TaskOutcome,
  Workflow,
  WorkflowContext,
  WorkflowRegistry,
} from "./workflow.ts";
