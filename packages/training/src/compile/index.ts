export { compileEvaluation, type EvaluationOptions } from "./compile-evaluation.ts";
export { compileStep, type StepOptions } from "./compile-step.ts";
export type {
  CompiledEvaluation,
  CompiledGraph,
  CompiledStep,
  InputPort,
  Port,
  ScalarInput,
  StateSlot,
} from "./compiled.ts";
export type { FrameOptions } from "./frame.ts";
