export { cyclic } from "./cyclic.ts";
export { runWorkflow, type WorkflowEffects, type WorkflowJob } from "./durable-context.ts";
export { crossSiteEvaluation, federatedEvaluation } from "./evaluation.ts";
export { fedavg } from "./fedavg.ts";
export {
  clearJournal,
  type Journal,
  type JournalEntry,
  type JournalOutcome,
  openJournal,
} from "./journal.ts";
export { builtInWorkflows, workflowRegistry } from "./registry.ts";
export { scaffold } from "./scaffold.ts";
export { trainRound } from "./train-round.ts";
export type {
  Collected,
  Dispatch,
  ModelVersion,
  TaskOrder,
  TaskOutcome,
  Workflow,
  WorkflowContext,
  WorkflowRegistry,
} from "./workflow.ts";
