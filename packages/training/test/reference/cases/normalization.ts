import { float, int, ints } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { bool, f32 } from "./constants.ts";

const of = (operator: string, form: string, more: Omit<GradientCase, "operator" | "form">): GradientCase => ({
  ...{ operator, form },
  ...more,
});

const statistics = [f32([3], 0.1, -0.2, 0.3), f32([3], 0.5, 1.5, 1)];
const places = ["x0", "x1", "x2", "c0", "c1"];

export const NORMALIZATION_CASES: readonly GradientCase[] = [
  of("BatchNormalization", "of images, in training", {
    ...{ inputs: [[4, 3, 2, 2], [3], [3]], constants: statistics, places },
    attributes: { training_mode: int(1), epsilon: float(1e-3) },
    alone: true,
  }),
  of("BatchNormalization", "of rows, in training", {
    ...{ inputs: [[6, 3], [3], [3]], constants: statistics, places },
    attributes: { training_mode: int(1) },
    alone: true,
  }),
  of("BatchNormalization", "with its running statistics", {
    inputs: [[2, 3, 4], [3], [3]],
    constants: statistics,
    places,
  }),
  of("LayerNormalization", "of the last axis", { inputs: [[2, 3, 5], [5], [5]] }),
  of("LayerNormalization", "of two axes, without a bias", {
    inputs: [
      [2, 3, 4],
      [3, 4],
    ],
    attributes: { axis: int(1), epsilon: float(0.01) },
  }),
  of("GroupNormalization", "with a scale per channel", {
    ...{ inputs: [[2, 4, 3, 2], [4], [4]], attributes: { num_groups: int(2) } },
    opset: 21,
  }),
  of("GroupNormalization", "with a scale per group", {
    ...{ inputs: [[2, 4, 3], [2], [2]], attributes: { num_groups: int(2) } },
  }),
  of("InstanceNormalization", "", { inputs: [[2, 3, 4, 2], [3], [3]] }),
  of("RMSNormalization", "of the last axis", { inputs: [[2, 3, 5], [5]], opset: 23 }),
  of("LpNormalization", "by the sum", { inputs: [[3, 4]], attributes: { axis: int(0), p: int(1) } }),
  of("LpNormalization", "by the length", { inputs: [[3, 4]] }),
  of("MeanVarianceNormalization", "", { inputs: [[2, 3, 3, 2]] }),
  of("MeanVarianceNormalization", "of the last axis", {
    inputs: [[3, 6]],
    attributes: { axes: ints([1]) },
    alone: true,
  }),
  of("Dropout", "with a mask", {
    ...{ inputs: [[4, 5]], constants: [f32([], 0.4), bool([], 1)] },
    alone: true,
  }),
  of("Dropout", "in evaluation", {
    inputs: [[4, 5]],
    constants: [f32([], 0.4), bool([], 1)],
    mode: "evaluation",
    alone: true,
  }),
];
