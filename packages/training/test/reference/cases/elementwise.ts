import { float, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { bool, f32, i64 } from "./constants.ts";

const x: readonly (readonly number[])[] = [[3, 4]];

const of = (operator: string, form = "", more: Partial<GradientCase> = {}): GradientCase => ({
  ...{ operator, form, inputs: x },
  ...more,
});

const extremes = ["Min", "Max"].flatMap((operator) => [
  of(operator, "of three, broadcast", { inputs: [[2, 3], [3], [2, 1]] }),
  of(operator, "of a value and a constant", { constants: [f32([], 0.3)] }),
  of(operator, "of one", {}),
]);

const powers = [2, 3, 1, 0, -1.5, 0.5].map((exponent) =>
  of("Pow", `with exponent ${exponent}`, { positive: true, constants: [f32([], exponent)] }),
);

export const ELEMENTWISE_CASES: readonly GradientCase[] = [
  ...extremes,
  ...powers,
  of("Pow", "with a whole exponent of a negative base", { constants: [i64([], 3)] }),
  of("Pow", "with a list of exponents", { positive: true, constants: [f32([4], 1, 2, 0.5, 3)] }),
  of("Pow", "by both", { positive: true, inputs: [[3, 4], [4]] }),
  of("Where", "by a mask", {
    inputs: [[2, 3], [3]],
    constants: [bool([2, 1], 1, 0)],
    places: ["c0", "x0", "x1"],
  }),
  of("Clip", "between two bounds", { constants: [f32([], -0.4), f32([], 0.7)] }),
  of("Clip", "below", { constants: [f32([], 0.2)] }),
  of("Clip", "above", { constants: [f32([], 0.2)], places: ["x0", "", "c0"] }),
  ...["Sin", "Cos", "Erf", "Softplus", "Softsign", "Mish", "HardSwish", "Sign", "Floor", "Ceil", "Round"].map(
    (operator) => of(operator),
  ),
  of("Elu"),
  of("Elu", "alpha 0.5", { attributes: { alpha: float(0.5) } }),
  of("Celu", "alpha 0.7", { attributes: { alpha: float(0.7) } }),
  of("Selu"),
  of("ThresholdedRelu", "alpha 0.3", { attributes: { alpha: float(0.3) } }),
  of("PRelu", "with a slope per column", { inputs: [[3, 4], [4]] }),
  of("PRelu", "with one slope per channel", {
    inputs: [
      [2, 3, 2, 2],
      [3, 1, 1],
    ],
  }),
  of("HardSigmoid"),
  of("HardSigmoid", "alpha 0.4 beta 0.3", { attributes: { alpha: float(0.4), beta: float(0.3) } }),
  of("Gelu"),
  of("Gelu", "by tanh", { attributes: { approximate: text("tanh") } }),
  of("Sum", "of three", { inputs: [[2, 3], [3], [2, 1]] }),
  of("Mean", "of three", { inputs: [[2, 3], [3], [2, 1]] }),
];
