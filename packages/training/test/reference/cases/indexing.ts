import { int, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { i64 } from "./constants.ts";

const of = (operator: string, form: string, more: Omit<GradientCase, "operator" | "form">): GradientCase => ({
  ...{ operator, form },
  ...more,
});

const sums = [0, 1].flatMap((exclusive) =>
  [0, 1].map((reverse) =>
    of("CumSum", `exclusive ${exclusive} reverse ${reverse}`, {
      inputs: [[3, 4]],
      constants: [i64([], exclusive === 1 ? -1 : 0)],
      attributes: { exclusive: int(exclusive), reverse: int(reverse) },
    }),
  ),
);

export const INDEXING_CASES: readonly GradientCase[] = [
  of("Gather", "of rows, some twice", { inputs: [[5, 3]], constants: [i64([2, 3], 4, 0, 4, 1, 4, -5)] }),
  of("Gather", "of columns", {
    inputs: [[3, 5]],
    constants: [i64([3], 2, 0, 2)],
    attributes: { axis: int(1) },
  }),
  of("Gather", "of the middle axis", {
    inputs: [[2, 4, 3]],
    constants: [i64([2, 2], 3, 1, 1, 0)],
    attributes: { axis: int(1) },
  }),
  of("Gather", "of one element", {
    inputs: [[2, 4, 3]],
    constants: [i64([], -1)],
    attributes: { axis: int(1) },
  }),
  of("GatherElements", "along rows", {
    inputs: [[3, 4]],
    constants: [i64([3, 2], 1, 1, 0, 3, -1, 2)],
    attributes: { axis: int(1) },
  }),
  of("GatherND", "of elements", { inputs: [[3, 4]], constants: [i64([3, 2], 0, 1, 2, 3, 0, 1)] }),
  of("GatherND", "of rows", { inputs: [[3, 4]], constants: [i64([2, 1], 2, 0)] }),
  of("ScatterND", "over rows", {
    inputs: [
      [4, 3],
      [2, 3],
    ],
    constants: [i64([2, 1], 3, 1)],
    places: ["x0", "c0", "x1"],
  }),
  of("ScatterND", "added to elements", {
    inputs: [[4, 3], [3]],
    constants: [i64([3, 2], 3, 1, 0, 0, 3, 1)],
    places: ["x0", "c0", "x1"],
    attributes: { reduction: text("add") },
  }),
  of("ScatterElements", "along rows", {
    inputs: [
      [3, 4],
      [3, 2],
    ],
    constants: [i64([3, 2], 1, 3, 0, 2, 3, 0)],
    places: ["x0", "c0", "x1"],
    attributes: { axis: int(1) },
  }),
  of("ScatterElements", "added along columns", {
    inputs: [
      [3, 2],
      [2, 2],
    ],
    constants: [i64([2, 2], 1, 1, 1, 0)],
    places: ["x0", "c0", "x1"],
    attributes: { reduction: text("add") },
  }),
  ...sums,
];
