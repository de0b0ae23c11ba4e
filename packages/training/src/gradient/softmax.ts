import { attribute } from "../graph/index.ts";
import { int } from "../onnx/index.ts";
import { type Backward, type GradientTable, ofOneOutput, outputOf } from "./rule.ts";

function sumAlongAxis({ builder, typed }: Backward, value: string): string {
  const axis = attribute(typed, "int", "axis") ?? -1;
  return builder.add("ReduceSum", [value, builder.numbers("i64", [axis])], {
    attributes: { keepdims: int(1) },
  });
}

// y = softmax(x): dx = y (dy - Σ dy y)
const softmax = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  const y = outputOf(backward, 0);
  const total = sumAlongAxis(backward, builder.add("Mul", [gradient, y]));
  return [builder.add("Mul", [y, builder.add("Sub", [gradient, total])])];
});

// y = log softmax(x): dx = dy - exp(y) Σ dy
const logSoftmax = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  const probabilities = builder.add("Exp", [outputOf(backward, 0)]);
  const total = sumAlongAxis(backward, gradient);
  return [builder.add("Sub", [gradient, builder.add("Mul", [probabilities, total])])];
});

/** Gradients of the softmax family. */
export const SOFTMAX_GRADIENTS: GradientTable = { Softmax: softmax, LogSoftmax: logSoftmax };
