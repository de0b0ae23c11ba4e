import type { Model } from "../onnx/index.ts";
import type { CompiledEvaluation } from "./compiled.ts";
import { closeFrame, type FrameOptions, openFrame } from "./frame.ts";

/**
 * Compiles a forward model into the evaluation of one batch; all parameters are fed.
 * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE`, `ERR_MODEL_TOO_LARGE` or `ERR_MODEL_PARAMETERS`
 */
export function compileEvaluation(model: Model, options: FrameOptions): CompiledEvaluation {
  const frame = openFrame(model, options, "evaluation");
  const { builder, loss, lossInputs } = frame;
  const { lossSum, correct } = loss.measure(builder, lossInputs);
  const names = {
    lossSum: builder.freeName("photinus/loss-sum"),
    correct: builder.freeName("photinus/correct"),
  };
  const outputs = new Map([
    [names.lossSum, lossSum],
    [names.correct, correct],
  ]);
  return {
    ...closeFrame(frame, { outputs, fed: new Set(), batchSize: options.batchSize }),
    classCount: builder.shape(lossInputs.logits)[1] ?? 0,
    lossSum: { name: names.lossSum, ...builder.type(lossSum) },
    correct: { name: names.correct, ...builder.type(correct) },
  };
}
