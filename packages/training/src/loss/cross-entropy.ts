import { TrainingError } from "@photinus/core/errors";
import type { CrossEntropyOptions } from "@photinus/core/job";
import { elementCount } from "@photinus/core/tensor";
import type { Profile } from "../gradient/index.ts";
import { Algebra, type GraphBuilder, tensorOf, type ValueType } from "../graph/index.ts";
import { dataTypeOf, int } from "../onnx/index.ts";
import { distributionOf } from "./distribution.ts";
import {
  type Loss,
  type LossInputs,
  type LossMeasure,
  type LossTypes,
  type LossValue,
  weightsOf,
} from "./loss.ts";

type Options = Omit<CrossEntropyOptions, "name">;

/**
 * Softmax cross-entropy of f32 logits and int32 class ids of the same shape but for 1 in the place of the classes:
 * [examples, 1] for logits [examples, classes]. A label outside the classes has no one-hot row: whoever feeds labels
 * checks their range.
 */
export function crossEntropy(options: Options): Loss {
  return {
    types: (output) => types(output, options),
    differentiate: (builder, inputs, profile) => differentiate(builder, inputs, { ...options, profile }),
    measure: (builder, inputs) => measure(builder, inputs, options),
  };
}

function axisOf({ shape }: ValueType, { classAxis = shape.length - 1 }: Options): number {
  return classAxis;
}

function types(output: ValueType, options: Options): LossTypes {
  const axis = axisOf(output, options);
  const { dtype, shape } = output;
  const classCount = shape[axis] ?? 0;
  if (dtype !== "f32" || axis < 1 || classCount < 2) {
    const what = `cross-entropy needs f32 logits of at least 2 classes along axis ${axis}, got [${shape}]`;
    throw new TrainingError("ERR_MODEL_SHAPE", what);
  }
  const labels = shape.with(axis, 1);
  const termsPerExample = elementCount(labels.slice(1));
  const { ignoredLabel } = options;
  return {
    labels: { dtype: "i32", shape: labels },
    weights: weightsOf(shape),
    termsPerExample,
    classCount,
    classAxis: axis,
    ...(ignoredLabel === undefined ? {} : { ignoredLabel }),
  };
}

// q = (1 - ε) onehot(label) + ε / C (Szegedy et al. 2016, section 7); L = -Σ w q log softmax(x), so
// ∂L/∂x = w softmax(x) - w q, for Σ q = 1.
function differentiate(
  builder: GraphBuilder,
  inputs: LossInputs,
  { profile, ...options }: Options & { readonly profile: Profile },
): LossValue {
  const algebra = new Algebra(builder);
  const axis = axisOf(builder.type(inputs.output), options);
  const weights = countedWeights(builder, inputs, options);
  const { logarithms, probabilities } = distributionOf(builder, inputs.output, { profile, axis });
  const target = algebra.mul(targetOf(builder, inputs, options), weights);
  const loss = algebra.apply("Neg", algebra.total(algebra.mul(logarithms, target)));
  return { loss, gradient: algebra.sub(algebra.mul(probabilities, weights), target) };
}

/** int64 labels would leave WebGPU for the CPU. */
function targetOf(builder: GraphBuilder, { output, labels }: LossInputs, options: Options): string {
  const algebra = new Algebra(builder);
  const type = builder.type(output);
  const axis = axisOf(type, options);
  const classes = type.shape[axis] ?? 0;
  const shape = [classes, ...type.shape.slice(axis + 1).map(() => 1)];
  const numbers = Array.from({ length: classes }, (_, id) => id);
  const ids = builder.constant(tensorOf("i32", shape, numbers), "classes");
  const oneHot = algebra.indicator(builder.add("Equal", [labels, ids]));
  const { labelSmoothing = 0 } = options;
  if (labelSmoothing === 0) return oneHot;
  return algebra.add(algebra.mul(oneHot, 1 - labelSmoothing), labelSmoothing / classes);
}

/** The weights, 0 where the label says that it does not count. */
function countedWeights(
  builder: GraphBuilder,
  { labels, weights }: LossInputs,
  { ignoredLabel }: Options,
): string {
  if (ignoredLabel === undefined) return weights;
  const algebra = new Algebra(builder);
  const ignored = builder.add("Equal", [labels, builder.numbers("i32", ignoredLabel)]);
  return algebra.mul(algebra.indicator(builder.add("Not", [ignored])), weights);
}

function measure(builder: GraphBuilder, inputs: LossInputs, options: Options): LossMeasure {
  const algebra = new Algebra(builder);
  const { loss } = differentiate(builder, inputs, { ...options, profile: "webgpu" });
  const axis = axisOf(builder.type(inputs.output), options);
  // The first of several equal logits is the answer: a model that says the same of all classes is not right.
  const answer = builder.add("ArgMax", [inputs.output], {
    attributes: { axis: int(axis), keepdims: int(1) },
  });
  const answerId = builder.add("Cast", [answer], { attributes: { to: int(dataTypeOf("i32")) } });
  const right = algebra.indicator(builder.add("Equal", [answerId, inputs.labels]));
  const weights = countedWeights(builder, inputs, options);
  return { lossSum: loss, correct: algebra.total(algebra.mul(right, weights)) };
}
