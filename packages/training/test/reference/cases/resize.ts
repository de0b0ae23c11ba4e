import { float, ints, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { f32 } from "./constants.ts";

const resize = (
  form: string,
  [shape, scales]: readonly [readonly number[], readonly number[]],
  attributes: GradientCase["attributes"] = {},
): GradientCase => ({
  ...{ operator: "Resize", form, inputs: [shape], attributes },
  constants: [f32([scales.length], ...scales)],
  places: ["x0", "", "c0"],
});

const named = (mode: string, coordinates: string): GradientCase["attributes"] => ({
  mode: text(mode),
  coordinate_transformation_mode: text(coordinates),
});

const IMAGE = [1, 2, 3, 4];

export const RESIZE_CASES: readonly GradientCase[] = [
  resize("nearest by two, as PyTorch exports it", [IMAGE, [1, 1, 2, 2]], {
    ...named("nearest", "asymmetric"),
    nearest_mode: text("floor"),
  }),
  resize("nearest by two, half pixel", [IMAGE, [1, 1, 2, 2]], named("nearest", "half_pixel")),
  resize(
    "nearest to a smaller size",
    [
      [1, 2, 4, 6],
      [1, 1, 0.5, 0.5],
    ],
    {
      ...named("nearest", "asymmetric"),
      nearest_mode: text("floor"),
    },
  ),
  resize("nearest by one and a half", [IMAGE, [1, 1, 1.5, 1.5]], {
    ...named("nearest", "half_pixel"),
    nearest_mode: text("round_prefer_ceil"),
  }),
  ...["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"].map((coordinates) =>
    resize(`linear, ${coordinates}`, [IMAGE, [1, 1, 2, 1.5]], named("linear", coordinates)),
  ),
  resize(
    "cubic",
    [
      [1, 1, 4, 4],
      [1, 1, 2, 2],
    ],
    { ...named("cubic", "half_pixel"), cubic_coeff_a: float(-0.75) },
  ),
  {
    ...{ operator: "Resize", form: "linear, to given sizes", inputs: [IMAGE], places: ["x0", "", "", "c0"] },
    constants: [[1, 2, 6, 5]],
    attributes: named("linear", "half_pixel"),
  },
  resize("of the last axes alone", [IMAGE, [2, 2]], {
    ...named("nearest", "half_pixel"),
    axes: ints([2, 3]),
  }),
  resize(
    "linear in one dimension",
    [
      [2, 2, 4],
      [1, 1, 2],
    ],
    named("linear", "half_pixel"),
  ),
];
