import type { Model } from "../onnx/index.ts";
import type { CompiledEvaluation, Port } from "./compiled.ts";
import { closeFrame, type FrameOptions, openFrame } from "./frame.ts";

/** What an evaluation is compiled from. */
export interface EvaluationOptions extends FrameOptions {
  /** True to have the model's output, too, for metrics that need more than a sum. Default: false. */
  readonly withOutput?: boolean;
}

/**
 * Compiles a forward model into the evaluation of one batch; all parameters are fed.
 * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE`, `ERR_MODEL_TOO_LARGE` or `ERR_MODEL_PARAMETERS`
 */
export function compileEvaluation(model: Model, options: EvaluationOptions): CompiledEvaluation {
  const frame = openFrame(model, options, "evaluation");
  const { builder, loss, lossInputs } = frame;
  const { lossSum, correct } = loss.measure(builder, lossInputs);
  const outputs = new Map<string, string>();
  const declare = (name: string, value: string): Port => {
    const free = builder.freeName(name);
    outputs.set(free, value);
    return { name: free, ...builder.type(value) };
  };
  const ports = {
    lossSum: declare("photinus/loss-sum", lossSum),
    ...(correct === undefined ? {} : { correct: declare("photinus/correct", correct) }),
    ...(options.withOutput === true ? { output: declare("photinus/output", lossInputs.output) } : {}),
  };
  return { ...closeFrame(frame, { outputs, fed: new Set(), batchSize: options.batchSize }), ...ports };
}
