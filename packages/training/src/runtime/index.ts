export { EvaluationSession } from "./evaluation-session.ts";
export { checkFit } from "./feeders.ts";
export {
  createRuntime,
  type OnnxRuntime,
  type Runtime,
  type RuntimeOptions,
  type RuntimeTensor,
  type Tensors,
} from "./runtime.ts";
export { StepSession } from "./step-session.ts";
