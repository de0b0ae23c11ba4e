import { TrainingError } from "@photinus/core/errors";
import type { GraphBuilder, ValueType } from "../graph/index.ts";
import { dataTypeOf, int } from "../onnx/index.ts";
import type { Loss, LossInputs, LossMeasure, LossValue } from "./loss.ts";

const CLASS_AXIS = 1;

/** The parts that value and gradient share; `[examples, 1]` where one number per example is meant. */
interface Terms {
  /** exp(x - max x), [examples, classes]. */
  readonly exponentials: string;
  /** Σ exponentials, [examples, 1]. */
  readonly normalizer: string;
  /** 1 for the class of the example, [examples, classes]. */
  readonly oneHot: string;
  /** log Σ exp(x - max) - (x - max)[label], [examples, 1]. */
  readonly perExample: string;
}

function sumClasses(builder: GraphBuilder, value: string, operator = "ReduceSum"): string {
  return builder.add(operator, [value, builder.numbers("i64", [CLASS_AXIS])], {
    attributes: { keepdims: int(1) },
  });
}

function toFloat(builder: GraphBuilder, value: string): string {
  return builder.add("Cast", [value], { attributes: { to: int(dataTypeOf("f32")) } });
}

/** Seen as [examples, 1]. */
function asColumn(builder: GraphBuilder, value: string): string {
  return builder.add("Unsqueeze", [value, builder.numbers("i64", [CLASS_AXIS])]);
}

function total(builder: GraphBuilder, value: string): string {
  const axes = builder.shape(value).map((_, axis) => axis);
  return builder.add("ReduceSum", [value, builder.numbers("i64", axes)], {
    attributes: { keepdims: int(0) },
  });
}

// Written out, since LogSoftmax has no kernel on WebGPU; labels are int32, since int64 comparisons have none there.
function terms(builder: GraphBuilder, { logits, labels }: LossInputs): Terms {
  const classes = builder.shape(logits)[CLASS_AXIS] ?? 0;
  const shifted = builder.add("Sub", [logits, sumClasses(builder, logits, "ReduceMax")]);
  const exponentials = builder.add("Exp", [shifted]);
  const normalizer = sumClasses(builder, exponentials);
  const ids = builder.numbers(
    "i32",
    Array.from({ length: classes }, (_, id) => id),
  );
  const oneHot = toFloat(builder, builder.add("Equal", [asColumn(builder, labels), ids]));
  const ofLabel = sumClasses(builder, builder.add("Mul", [shifted, oneHot]));
  const perExample = builder.add("Sub", [builder.add("Log", [normalizer]), ofLabel]);
  return { exponentials, normalizer, oneHot, perExample };
}

function labelsOf({ dtype, shape }: ValueType): ValueType {
  const [examples = 0, classes = 0] = shape;
  if (dtype !== "f32" || shape.length !== 2 || classes < 2) {
    throw new TrainingError(
      "ERR_MODEL_SHAPE",
      `cross-entropy needs f32 logits [examples, classes], got [${shape}]`,
    );
  }
  return { dtype: "i32", shape: [examples] };
}

// ∂/∂x of w (log Σ exp x - x[label]) is w (softmax(x) - onehot(label)), with w = mask / Σ mask.
function differentiate(builder: GraphBuilder, inputs: LossInputs): LossValue {
  const { exponentials, normalizer, oneHot, perExample } = terms(builder, inputs);
  const weights = builder.add("Div", [asColumn(builder, inputs.mask), total(builder, inputs.mask)]);
  const probabilities = builder.add("Div", [exponentials, normalizer]);
  const gradient = builder.add("Mul", [builder.add("Sub", [probabilities, oneHot]), weights]);
  return { loss: total(builder, builder.add("Mul", [perExample, weights])), gradient };
}

function measure(builder: GraphBuilder, inputs: LossInputs): LossMeasure {
  const { perExample } = terms(builder, inputs);
  const lossSum = total(builder, builder.add("Mul", [perExample, asColumn(builder, inputs.mask)]));
  // The first of several equal logits is the answer: a model that says the same of all classes is not right.
  const answer = builder.add("ArgMax", [inputs.logits], {
    attributes: { axis: int(CLASS_AXIS), keepdims: int(0) },
  });
  const answerId = builder.add("Cast", [answer], { attributes: { to: int(dataTypeOf("i32")) } });
  const right = toFloat(builder, builder.add("Equal", [answerId, inputs.labels]));
  return { lossSum, correct: total(builder, builder.add("Mul", [right, inputs.mask])) };
}

/**
 * Softmax cross-entropy of f32 logits [examples, classes] and int32 class ids [examples]. A label outside the classes
 * has no one-hot row: whoever feeds labels checks their range.
 */
export const crossEntropy: Loss = { labels: labelsOf, differentiate, measure };
