import { float, int, ints, text } from "../../src/onnx/index.ts";
import { ELEMENTWISE_CASES } from "./cases/elementwise.ts";
import { INDEXING_CASES } from "./cases/indexing.ts";
import { NORMALIZATION_CASES } from "./cases/normalization.ts";
import { RECURRENT_CASES } from "./cases/recurrent.ts";
import { REDUCTION_CASES } from "./cases/reduction.ts";
import { RESIZE_CASES } from "./cases/resize.ts";
import { TRANSFORMER_CASES } from "./cases/transformer.ts";
import { VIEW_CASES } from "./cases/view.ts";
import { WINDOW_CASES } from "./cases/window.ts";
import type { GradientCase } from "./check-gradient.ts";

const unary = (operator: string, form = "", more: Partial<GradientCase> = {}): GradientCase => ({
  operator,
  form,
  inputs: [[3, 4]],
  ...more,
});

const binary = (operator: string, more: Partial<GradientCase> = {}): GradientCase[] => [
  {
    operator,
    form: "of equal shapes",
    inputs: [
      [2, 3],
      [2, 3],
    ],
    ...more,
  },
  { operator, form: "with a row", inputs: [[2, 3], [3]], ...more },
  {
    operator,
    form: "with a column and a longer left side",
    inputs: [
      [2, 3, 4],
      [3, 1],
    ],
    ...more,
  },
  { operator, form: "with a scalar on the left", inputs: [[], [2, 3]], ...more },
];

const GEMMS: readonly GradientCase[] = [0, 1].flatMap((transA) =>
  [0, 1].map((transB) => ({
    operator: "Gemm",
    form: `transA ${transA} transB ${transB}`,
    inputs: [transA ? [4, 3] : [3, 4], transB ? [5, 4] : [4, 5], transA ? [5] : [3, 1]],
    attributes: { transA: int(transA), transB: int(transB), alpha: float(0.5), beta: float(2) },
  })),
);

const MATMULS: readonly GradientCase[] = (
  [
    ["of matrices", [3, 4], [4, 5]],
    ["of a batch with a matrix", [2, 3, 4], [4, 5]],
    ["of two batches", [2, 3, 4], [2, 4, 5]],
    ["of broadcast batches", [2, 1, 3, 4], [3, 4, 2]],
    ["of a matrix with a batch", [3, 4], [2, 4, 5]],
    ["of a vector with a matrix", [4], [4, 5]],
    ["of a matrix with a vector", [3, 4], [4]],
    ["of a batch with a vector", [2, 3, 4], [4]],
    ["of two vectors", [4], [4]],
  ] as const
).map(([form, left, right]) => ({ operator: "MatMul", form, inputs: [left, right] }));

const conv = (
  form: string,
  [x, w]: readonly [readonly number[], readonly number[]],
  attributes: GradientCase["attributes"] = {},
): GradientCase => ({
  operator: "Conv",
  form,
  inputs: [x, w, [w[0]!]],
  attributes,
});

const CONVS: readonly GradientCase[] = [
  conv("valid", [
    [2, 3, 6, 5],
    [4, 3, 3, 2],
  ]),
  conv("of one channel to one map", [
    [2, 1, 5, 5],
    [1, 1, 3, 3],
  ]),
  conv(
    "padded",
    [
      [2, 2, 4, 5],
      [3, 2, 3, 3],
    ],
    { pads: ints([1, 1, 1, 1]) },
  ),
  conv(
    "unevenly padded",
    [
      [1, 2, 4, 4],
      [3, 2, 3, 3],
    ],
    { pads: ints([0, 1, 2, 1]) },
  ),
  conv(
    "with strides that leave a rest",
    [
      [2, 2, 8, 7],
      [3, 2, 3, 3],
    ],
    { strides: ints([2, 3]) },
  ),
  conv(
    "with strides and pads",
    [
      [2, 2, 7, 6],
      [3, 2, 3, 3],
    ],
    { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ),
  conv(
    "dilated",
    [
      [1, 2, 8, 8],
      [2, 2, 3, 3],
    ],
    { dilations: ints([2, 3]), pads: ints([1, 0, 0, 2]) },
  ),
  conv(
    "dilated with strides",
    [
      [2, 2, 9, 9],
      [2, 2, 3, 2],
    ],
    { dilations: ints([2, 1]), strides: ints([2, 3]) },
  ),
  conv(
    "in two groups",
    [
      [2, 4, 5, 5],
      [6, 2, 3, 3],
    ],
    { group: int(2) },
  ),
  conv(
    "depthwise with strides",
    [
      [2, 3, 6, 6],
      [3, 1, 3, 3],
    ],
    { group: int(3), strides: ints([2, 2]) },
  ),
  conv(
    "auto_pad SAME_UPPER",
    [
      [1, 2, 5, 5],
      [2, 2, 2, 2],
    ],
    { auto_pad: text("SAME_UPPER") },
  ),
  conv(
    "auto_pad SAME_LOWER",
    [
      [1, 2, 5, 6],
      [2, 2, 2, 3],
    ],
    { auto_pad: text("SAME_LOWER"), strides: ints([2, 2]) },
  ),
  conv(
    "in one dimension",
    [
      [2, 2, 9],
      [3, 2, 3],
    ],
    { strides: ints([2]) },
  ),
  {
    ...conv("in three dimensions", [
      [1, 2, 3, 4, 3],
      [2, 2, 2, 2, 2],
    ]),
    lacking: ["webgpu"],
  },
];

const pool = (
  operator: string,
  form: string,
  [size, attributes]: readonly [readonly number[], NonNullable<GradientCase["attributes"]>],
): GradientCase => ({ operator, form, inputs: [size], attributes });

const POOLS: readonly GradientCase[] = ["MaxPool", "AveragePool"].flatMap((operator) => [
  pool(operator, "in tiles", [[2, 3, 4, 6], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }]),
  pool(operator, "in tiles that leave a rest", [
    [2, 2, 5, 8],
    { kernel_shape: ints([2, 3]), strides: ints([2, 3]) },
  ]),
  pool(operator, "in tiles in one dimension", [[2, 3, 7], { kernel_shape: ints([2]), strides: ints([2]) }]),
  pool(operator, "with gaps", [[1, 2, 6, 7], { kernel_shape: ints([2, 2]), strides: ints([3, 3]) }]),
  pool(operator, "overlapping", [[2, 2, 7, 8], { kernel_shape: ints([3, 3]), strides: ints([2, 2]) }]),
  pool(operator, "overlapping and padded", [
    [2, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ]),
  pool(operator, "tiled and padded", [
    [1, 2, 4, 4],
    { kernel_shape: ints([2, 2]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ]),
]);

const wideTiles = pool("MaxPool", "in tiles of an image too wide for products", [
  [1, 1, 2, 300],
  { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
]);

/** Every gradient rule, in the forms in which it differs. */
export const GRADIENT_CASES: readonly GradientCase[] = [
  ...binary("Add"),
  ...binary("Sub"),
  ...binary("Mul"),
  ...binary("Div", { positive: true }),
  ...["Neg", "Abs", "Exp", "Relu", "Tanh", "Sigmoid", "Identity"].map((operator) => unary(operator)),
  ...["Log", "Sqrt", "Reciprocal"].map((operator) => unary(operator, "", { positive: true })),
  unary("LeakyRelu", "alpha 0.2", { attributes: { alpha: float(0.2) } }),
  unary("Softmax", "last axis"),
  unary("Softmax", "first axis", { attributes: { axis: int(0) } }),
  unary("LogSoftmax", "last axis"),
  unary("LogSoftmax", "first axis", { attributes: { axis: int(0) } }),
  unary("Cast", "to f32", { attributes: { to: int(1) } }),
  unary("Flatten", "", { inputs: [[2, 3, 4]] }),
  unary("Reshape", "", { constants: [[4, -1]] }),
  unary("Transpose", "", { inputs: [[2, 3, 4]], attributes: { perm: ints([2, 0, 1]) } }),
  unary("Squeeze", "", { inputs: [[3, 1, 4, 1]], constants: [[1, -1]] }),
  unary("Unsqueeze", "", { constants: [[0, -1]] }),
  unary("Expand", "", { inputs: [[3, 1]], constants: [[2, 3, 4]] }),
  unary("ReduceSum", "over all", {}),
  unary("ReduceSum", "over one axis", { constants: [[1]], attributes: { keepdims: int(0) } }),
  unary("ReduceMean", "over all", { attributes: { keepdims: int(0) } }),
  unary("ReduceMean", "over the first axis", { constants: [[0]] }),
  unary("GlobalAveragePool", "", { inputs: [[2, 3, 4, 5]] }),
  ...GEMMS,
  ...MATMULS,
  ...CONVS,
  ...POOLS,
  wideTiles,
  pool("AveragePool", "padded, counting pads", [
    [2, 2, 6, 6],
    {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      count_include_pad: int(1),
    },
  ]),
  ...ELEMENTWISE_CASES,
  ...VIEW_CASES,
  ...REDUCTION_CASES,
  ...INDEXING_CASES,
  ...WINDOW_CASES,
  ...NORMALIZATION_CASES,
  ...RECURRENT_CASES,
  ...RESIZE_CASES,
  ...TRANSFORMER_CASES,
];
