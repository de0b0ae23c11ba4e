import { TrainingError } from "@photinus/core/errors";
import type { Profile } from "../gradient/index.ts";
import type { GraphBuilder, ValueType } from "../graph/index.ts";
import { dataTypeOf, int } from "../onnx/index.ts";
import type { Loss, LossInputs, LossMeasure, LossTypes, LossValue } from "./loss.ts";

const CLASS_AXIS = 1;

/** log softmax and softmax of the logits, both [examples, classes]. */
interface Distribution {
  readonly logarithms: string;
  readonly probabilities: string;
}

function alongClasses(builder: GraphBuilder, operator: "ReduceSum" | "ReduceMax", value: string): string {
  return builder.add(operator, [value, builder.numbers("i64", [CLASS_AXIS])], {
    attributes: { keepdims: int(1) },
  });
}

function toFloat(builder: GraphBuilder, value: string): string {
  return builder.add("Cast", [value], { attributes: { to: int(dataTypeOf("f32")) } });
}

function total(builder: GraphBuilder, value: string): string {
  const axes = builder.shape(value).map((_, axis) => axis);
  return builder.add("ReduceSum", [value, builder.numbers("i64", axes)], {
    attributes: { keepdims: int(0) },
  });
}

/** One node where there is a kernel for it; WebGPU has none, and would send the logits to the CPU and back. */
function distribution(builder: GraphBuilder, logits: string, profile: Profile): Distribution {
  if (profile !== "webgpu") {
    const logarithms = builder.add("LogSoftmax", [logits], { attributes: { axis: int(CLASS_AXIS) } });
    return { logarithms, probabilities: builder.add("Exp", [logarithms]) };
  }
  const shifted = builder.add("Sub", [logits, alongClasses(builder, "ReduceMax", logits)]);
  const exponentials = builder.add("Exp", [shifted]);
  const normalizer = alongClasses(builder, "ReduceSum", exponentials);
  return {
    logarithms: builder.add("Sub", [shifted, builder.add("Log", [normalizer])]),
    probabilities: builder.add("Div", [exponentials, normalizer]),
  };
}

/** [examples, classes]: the weight of the example at its class, else 0. int64 labels would leave WebGPU for the CPU. */
function weightAtLabel(builder: GraphBuilder, { logits, labels, weights }: LossInputs): string {
  const classes = builder.shape(logits)[CLASS_AXIS] ?? 0;
  const ids = builder.numbers(
    "i32",
    Array.from({ length: classes }, (_, id) => id),
  );
  const oneHot = toFloat(builder, builder.add("Equal", [labels, ids]));
  return builder.add("Mul", [oneHot, weights]);
}

function types({ dtype, shape }: ValueType): LossTypes {
  const [examples = 0, classes = 0] = shape;
  if (dtype !== "f32" || shape.length !== 2 || classes < 2) {
    throw new TrainingError(
      "ERR_MODEL_SHAPE",
      `cross-entropy needs f32 logits [examples, classes], got [${shape}]`,
    );
  }
  return { labels: { dtype: "i32", shape: [examples, 1] }, weights: { dtype: "f32", shape: [examples, 1] } };
}

// L = -Σ w log softmax(x)[label], so ∂L/∂x = w softmax(x) - w onehot(label).
function differentiate(builder: GraphBuilder, inputs: LossInputs, profile: Profile): LossValue {
  const { logarithms, probabilities } = distribution(builder, inputs.logits, profile);
  const target = weightAtLabel(builder, inputs);
  const loss = builder.add("Neg", [total(builder, builder.add("Mul", [logarithms, target]))]);
  const weighted = builder.add("Mul", [probabilities, inputs.weights]);
  return { loss, gradient: builder.add("Sub", [weighted, target]) };
}

function measure(builder: GraphBuilder, inputs: LossInputs): LossMeasure {
  const { loss } = differentiate(builder, inputs, "webgpu");
  // The first of several equal logits is the answer: a model that says the same of all classes is not right.
  const answer = builder.add("ArgMax", [inputs.logits], {
    attributes: { axis: int(CLASS_AXIS), keepdims: int(1) },
  });
  const answerId = builder.add("Cast", [answer], { attributes: { to: int(dataTypeOf("i32")) } });
  const right = toFloat(builder, builder.add("Equal", [answerId, inputs.labels]));
  return { lossSum: loss, correct: total(builder, builder.add("Mul", [right, inputs.weights])) };
}

/**
 * Softmax cross-entropy of f32 logits [examples, classes] and int32 class ids [examples, 1]. A label outside the
 * classes has no one-hot row: whoever feeds labels checks their range.
 */
export const crossEntropy: Loss = { types, differentiate, measure };
