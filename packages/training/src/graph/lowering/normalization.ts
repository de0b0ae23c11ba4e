import { elementCount } from "@photinus/core/tensor";
import type { Algebra } from "../algebra.ts";
import { numbersOf } from "../numbers.ts";
import { attribute, badShape, constantInput, inputType, normalAxis, unsupported } from "../typed-node.ts";
import {
  floatOf,
  intOf,
  type Lowered,
  type Lowering,
  type LoweringTable,
  operandOf,
  requiredOperand,
} from "./lowering.ts";

interface Standardized {
  readonly value: string;
  readonly mean: string;
  readonly variance: string;
  /** One over the standard deviation. */
  readonly inverse: string;
}

/** (x - mean) / √(variance + ε) over `axes`; both statistics take part in the gradient. */
function standardize(
  algebra: Algebra,
  x: string,
  { axes, epsilon }: { axes: readonly number[]; epsilon: number },
): Standardized {
  const mean = algebra.reduce("ReduceMean", x, { axes });
  const centered = algebra.sub(x, mean);
  const variance = algebra.reduce("ReduceMean", algebra.mul(centered, centered), { axes });
  const inverse = algebra.apply("Reciprocal", algebra.apply("Sqrt", algebra.add(variance, epsilon)));
  return { value: algebra.mul(centered, inverse), mean, variance, inverse };
}

/** scale · value + bias, where either may be left out. */
function affine(algebra: Algebra, value: string, [scale, bias]: readonly (string | undefined)[]): string {
  const scaled = scale === undefined ? value : algebra.mul(value, scale);
  return bias === undefined ? scaled : algebra.add(scaled, bias);
}

/** [C] as [1, C, 1, ...], to go with the channels of a value of `rank` dimensions. */
function perChannel(algebra: Algebra, value: string, { size, rank }: { size: number; rank: number }): string {
  return algebra.reshape(value, [1, size, ...new Array<number>(rank - 2).fill(1)]);
}

/**
 * Ioffe and Szegedy 2015. In training the statistics of the batch, and running ones as ONNX has them: with the
 * population variance, where PyTorch's running variance is the unbiased one.
 */
const batchNormalization: Lowering = (lowered) => {
  const { algebra, builder, context } = lowered;
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = lowered.node.inputs;
  const { shape } = inputType(lowered, 0);
  const [, channels] = shape;
  if (channels === undefined) badShape(lowered.node, `the input [${shape}] has no channels`);
  for (const value of [scale, bias, mean, variance]) {
    if (elementCount(builder.shape(value)) !== channels) badShape(lowered.node, `not ${channels} channels`);
  }
  const layout = { size: channels, rank: shape.length };
  const wide = (value: string): string => perChannel(algebra, value, layout);
  const epsilon = floatOf(lowered, "epsilon", 1e-5);
  const follows = intOf(lowered, "training_mode", 0) === 1 || context.isTrained(mean);
  if (context.mode === "evaluation" || !follows) {
    const inverse = algebra.apply("Reciprocal", algebra.apply("Sqrt", algebra.add(wide(variance), epsilon)));
    const factor = algebra.mul(inverse, wide(scale));
    return [algebra.add(algebra.mul(algebra.sub(x, wide(mean)), factor), wide(bias)), mean, variance];
  }
  const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const batch = standardize(algebra, x, { axes, epsilon });
  const keep = floatOf(lowered, "momentum", 0.9);
  const next = (running: string, current: string): string => {
    const flat = algebra.reshape(current, builder.shape(running));
    const updated = algebra.add(algebra.mul(running, keep), algebra.mul(flat, 1 - keep));
    context.updateStatistic(running, updated);
    return updated;
  };
  const y = affine(algebra, batch.value, [wide(scale), wide(bias)]);
  return [y, next(mean, batch.mean), next(variance, batch.variance)];
};

/** Ba et al. 2016 */
const layerNormalization: Lowering = (lowered) => {
  const { algebra } = lowered;
  const rank = inputType(lowered, 0).shape.length;
  const axis = normalAxis(lowered.node, intOf(lowered, "axis", -1), rank);
  const axes = Array.from({ length: rank - axis }, (_, index) => axis + index);
  const x = requiredOperand(lowered, 0);
  const { value, mean, inverse } = standardize(algebra, x, {
    axes,
    epsilon: floatOf(lowered, "epsilon", 1e-5),
  });
  return [affine(algebra, value, [operandOf(lowered, 1), operandOf(lowered, 2)]), mean, inverse];
};

/** x / √(mean of x² + ε) · scale (Zhang and Sennrich 2019) */
const rmsNormalization: Lowering = (lowered) => {
  const { algebra } = lowered;
  const rank = inputType(lowered, 0).shape.length;
  const axis = normalAxis(lowered.node, intOf(lowered, "axis", -1), rank);
  const axes = Array.from({ length: rank - axis }, (_, index) => axis + index);
  const x = requiredOperand(lowered, 0);
  const square = algebra.reduce("ReduceMean", algebra.mul(x, x), { axes });
  const root = algebra.apply("Sqrt", algebra.add(square, floatOf(lowered, "epsilon", 1e-5)));
  return [algebra.mul(algebra.div(x, root), requiredOperand(lowered, 1))];
};

/** Wu and He 2018. Until opset 20 scale and bias belonged to groups, since then to channels. */
const groupNormalization: Lowering = (lowered) => {
  const { algebra, builder } = lowered;
  const { shape } = inputType(lowered, 0);
  const [examples = 1, channels = 1, ...spatial] = shape;
  const groups = intOf(lowered, "num_groups", 1);
  if (groups < 1 || channels % groups !== 0)
    badShape(lowered.node, `${channels} channels in ${groups} groups`);
  const x = algebra.reshape(requiredOperand(lowered, 0), [
    examples,
    groups,
    elementCount(shape) / (examples * groups),
  ]);
  const { value } = standardize(algebra, x, { axes: [2], epsilon: floatOf(lowered, "epsilon", 1e-5) });
  const parts = [requiredOperand(lowered, 1), requiredOperand(lowered, 2)];
  if (lowered.context.opset < 21) {
    const wide = parts.map((part) => algebra.reshape(part, [1, groups, 1]));
    return [algebra.reshape(affine(algebra, value, wide), shape)];
  }
  if (parts.some((part) => elementCount(builder.shape(part)) !== channels))
    badShape(lowered.node, "not one scale per channel");
  const wide = parts.map((part) => perChannel(algebra, part, { size: channels, rank: 2 + spatial.length }));
  return [affine(algebra, algebra.reshape(value, shape), wide)];
};

/** Ulyanov et al. 2016 */
const instanceNormalization: Lowering = (lowered) => {
  const { algebra } = lowered;
  const { shape } = inputType(lowered, 0);
  const axes = shape.map((_, axis) => axis).slice(2);
  const epsilon = floatOf(lowered, "epsilon", 1e-5);
  const { value } = standardize(algebra, requiredOperand(lowered, 0), { axes, epsilon });
  const wide = [1, 2].map((index) =>
    perChannel(algebra, requiredOperand(lowered, index), { size: shape[1] ?? 1, rank: shape.length }),
  );
  return [affine(algebra, value, wide)];
};

/** (x - mean) / (standard deviation + 1e-9) over the axes given. */
const meanVarianceNormalization: Lowering = (lowered) => {
  const { algebra } = lowered;
  const axes = attribute(lowered, "ints", "axes") ?? [0, 2, 3];
  const x = requiredOperand(lowered, 0);
  const centered = algebra.sub(x, algebra.reduce("ReduceMean", x, { axes }));
  const variance = algebra.reduce("ReduceMean", algebra.mul(centered, centered), { axes });
  return [algebra.div(centered, algebra.add(algebra.apply("Sqrt", variance), 1e-9))];
};

/** x over its norm along one axis. */
const lpNormalization: Lowering = (lowered) => {
  const { algebra, builder } = lowered;
  const axes = builder.numbers("i64", [intOf(lowered, "axis", -1)]);
  const x = requiredOperand(lowered, 0);
  const norm = builder.add(intOf(lowered, "p", 2) === 1 ? "ReduceL1" : "ReduceL2", [x, axes]);
  return [algebra.div(x, norm)];
};

/** Srivastava et al. 2014: the mask is an input of the compiled graph, made from the seed of the training. */
const dropout: Lowering = (lowered) => {
  const { algebra, context } = lowered;
  const x = requiredOperand(lowered, 0);
  if (context.mode === "evaluation" || !isTraining(lowered)) return [x];
  const ratio = operandOf(lowered, 1) === undefined ? 0.5 : (numbersOf(constantInput(lowered, 1))[0] ?? 0.5);
  if (!(ratio >= 0 && ratio < 1)) badShape(lowered.node, `ratio ${ratio}`);
  if (ratio === 0) return [x];
  return [algebra.mul(x, context.mask(inputType(lowered, 0).shape, ratio))];
};

function isTraining(lowered: Lowered): boolean {
  if (operandOf(lowered, 2) === undefined) return false;
  const mode = lowered.constants[2] ?? unsupported(lowered.node, "its training mode must be a constant");
  return mode.data[0] !== 0;
}

/** Normalizations, and Dropout. */
export const NORMALIZATION_LOWERINGS: LoweringTable = {
  BatchNormalization: batchNormalization,
  Dropout: dropout,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: rmsNormalization,
};
