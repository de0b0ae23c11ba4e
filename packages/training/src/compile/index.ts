export { compileEvaluation } from "./compile-evaluation.ts";
export { compileStep, type StepOptions } from "./compile-step.ts";
export type { CompiledEvaluation, CompiledGraph, CompiledStep, Port, StateSlot } from "./compiled.ts";
export type { FrameOptions } from "./frame.ts";
