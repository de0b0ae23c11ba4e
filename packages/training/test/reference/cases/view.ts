import { int, ints, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { f32, i64 } from "./constants.ts";

const of = (
  operator: string,
  form: string,
  shape: readonly number[],
  more: Partial<GradientCase> = {},
): GradientCase => ({ operator, form, inputs: [shape], ...more });

export const VIEW_CASES: readonly GradientCase[] = [
  of("Concat", "of three", [2, 3], {
    inputs: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    attributes: { axis: int(-1) },
  }),
  of("Concat", "of a value with itself", [2, 3], { places: ["x0", "x0"], attributes: { axis: int(0) } }),
  of("Split", "into equal parts", [2, 6], { outputs: 2, attributes: { axis: int(1), num_outputs: int(2) } }),
  of("Split", "with a smaller last part", [5, 2], { outputs: 3, attributes: { num_outputs: int(3) } }),
  of("Split", "of given sizes", [2, 6], {
    outputs: 3,
    constants: [[1, 3, 2]],
    attributes: { axis: int(-1) },
  }),
  of("Slice", "from the middle", [4, 5], {
    constants: [
      [1, -4],
      [3, -1],
      [0, 1],
    ],
  }),
  of("Slice", "without axes", [4, 5], { constants: [[1], [9]] }),
  of("Slice", "with a step", [7, 3], { constants: [[1], [7], [0], [2]] }),
  of("Slice", "backwards", [4, 5], { constants: [[-1], [-9], [1], [-1]] }),
  of("Slice", "backwards with a step", [2, 7], {
    constants: [
      [5, 0],
      [0, 1],
      [1, 0],
      [-2, 1],
    ],
  }),
  of("Pad", "with zeros", [2, 3], { constants: [[1, 0, 0, 2]] }),
  of("Pad", "with another number", [2, 3], { constants: [[1, 0, 0, 2], f32([], 0.5)] }),
  of("Pad", "of one axis", [2, 3], { constants: [[1, 2], [1]], places: ["x0", "c0", "", "c1"] }),
  of("Pad", "that takes away", [4, 5], { constants: [[-1, 1, 0, -2]] }),
  of("Pad", "by reflection", [3, 4], { constants: [[1, 2, 2, 3]], attributes: { mode: text("reflect") } }),
  of("Pad", "by the edge", [3, 4], { constants: [[0, 2, 1, 1]], attributes: { mode: text("edge") } }),
  of("Pad", "by wrapping", [3, 4], { constants: [[1, 2, 1, 0]], attributes: { mode: text("wrap") } }),
  of("Tile", "of both axes", [2, 3], { constants: [[2, 3]] }),
  of("Tile", "of the last of four axes", [2, 1, 2, 3], { constants: [[1, 2, 1, 2]] }),
  of("DepthToSpace", "DCR", [1, 8, 2, 3], { attributes: { blocksize: int(2) } }),
  of("DepthToSpace", "CRD", [2, 4, 2, 3], { attributes: { blocksize: int(2), mode: text("CRD") } }),
  of("SpaceToDepth", "", [1, 2, 4, 6], { attributes: { blocksize: int(2) } }),
  of("CastLike", "to f32", [2, 3], { constants: [f32([], 0)] }),
  of("Trilu", "upper", [2, 3, 4]),
  of("Trilu", "lower, moved", [3, 3], { constants: [i64([], 1)], attributes: { upper: int(0) } }),
  of("ReverseSequence", "of whole axes", [4, 2, 3], {
    constants: [[4, 4]],
    attributes: { time_axis: int(0) },
  }),
  of("Squeeze", "of all axes of one", [3, 1, 4, 1]),
  of("Flatten", "from the second axis on", [2, 3, 4], { attributes: { axis: int(2) } }),
  of("Transpose", "to the reverse", [2, 3, 4]),
  of("Expand", "of two axes", [3, 1], { constants: [[3, 4]], attributes: {} }),
  of("Unsqueeze", "of the middle", [2, 3], { constants: [[1]], attributes: {} }),
  of("Reshape", "that keeps an axis", [2, 3, 4], { constants: [[0, -1]] }),
  of("Transpose", "of a matrix", [3, 4], { attributes: { perm: ints([1, 0]) } }),
];
