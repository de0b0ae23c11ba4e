import { float, int, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";
import { bool, f32 } from "./constants.ts";

const einsum = (equation: string, ...inputs: readonly (readonly number[])[]): GradientCase => ({
  ...{ operator: "Einsum", form: equation, inputs },
  attributes: { equation: text(equation) },
});

const attention = (form: string, more: Omit<GradientCase, "operator" | "form">): GradientCase => ({
  ...{ operator: "Attention", form, opset: 23 },
  ...more,
});

const heads = [
  [2, 2, 3, 4],
  [2, 2, 5, 4],
  [2, 2, 5, 3],
];

export const TRANSFORMER_CASES: readonly GradientCase[] = [
  einsum("ij,jk->ik", [2, 3], [3, 4]),
  einsum("bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 5, 4]),
  einsum("bij,bjk", [2, 3, 4], [2, 4, 2]),
  einsum("ij->j", [3, 4]),
  einsum("ij->ji", [3, 4]),
  einsum("i,j->ij", [3], [4]),
  einsum("ijk,ij->k", [2, 3, 4], [2, 3]),
  einsum("...ij,...jk->...ik", [2, 3, 4], [2, 4, 2]),
  einsum("ij,jk,kl->il", [2, 3], [3, 2], [2, 4]),
  einsum("i,i->", [4], [4]),
  attention("of heads", { inputs: heads }),
  attention("that looks back only", {
    inputs: [
      [1, 2, 4, 3],
      [1, 2, 4, 3],
      [1, 2, 4, 3],
    ],
    attributes: { is_causal: int(1) },
  }),
  attention("with a truth mask", {
    inputs: heads,
    constants: [bool([3, 5], 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1)],
    places: ["x0", "x1", "x2", "c0"],
  }),
  attention("with a mask that is added, and a scale", {
    ...{
      inputs: heads,
      constants: [f32([3, 5], 0, -1, 0.5, 0, -2, 1, 1, 0, 0, 0, -1, 0, 2, 0, 0.3)],
      places: ["x0", "x1", "x2", "c0"],
    },
    attributes: { scale: float(0.3) },
  }),
  attention("of joined heads, two of queries for one of keys", {
    inputs: [
      [2, 3, 8],
      [2, 4, 4],
      [2, 4, 4],
    ],
    attributes: { q_num_heads: int(2), kv_num_heads: int(1) },
  }),
];
