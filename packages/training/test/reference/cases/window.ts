import { int, ints, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";

type Sizes = readonly [x: readonly number[], w: readonly number[]];

const transposed = (
  form: string,
  [x, w]: Sizes,
  attributes: GradientCase["attributes"] = {},
): GradientCase => {
  const group = attributes?.["group"]?.value ?? 1;
  return { operator: "ConvTranspose", form, inputs: [x, w, [w[1]! * Number(group)]], attributes };
};

const pool = (
  operator: string,
  form: string,
  [x, attributes]: readonly [readonly number[], NonNullable<GradientCase["attributes"]>],
): GradientCase => ({
  operator,
  form,
  inputs: [x],
  attributes,
});

const ceiled = ["MaxPool", "AveragePool"].flatMap((operator) => [
  pool(operator, "with a last window that ends outside", [
    [2, 2, 6, 7],
    { kernel_shape: ints([3, 2]), strides: ints([2, 2]), ceil_mode: int(1) },
  ]),
  pool(operator, "with ceil_mode and pads", [
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), ceil_mode: int(1) },
  ]),
]);

export const WINDOW_CASES: readonly GradientCase[] = [
  transposed(
    "with strides",
    [
      [2, 3, 3, 4],
      [3, 2, 2, 2],
    ],
    { strides: ints([2, 2]) },
  ),
  transposed(
    "padded, with output padding",
    [
      [1, 2, 4, 3],
      [2, 3, 3, 3],
    ],
    { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), output_padding: ints([1, 1]) },
  ),
  transposed(
    "dilated, in two groups",
    [
      [2, 4, 3, 3],
      [4, 2, 2, 3],
    ],
    { dilations: ints([2, 1]), group: int(2) },
  ),
  transposed(
    "of a given size",
    [
      [1, 2, 3, 3],
      [2, 2, 3, 3],
    ],
    { strides: ints([2, 2]), output_shape: ints([6, 6]) },
  ),
  transposed(
    "auto_pad SAME_UPPER",
    [
      [1, 2, 3, 4],
      [2, 1, 3, 3],
    ],
    { strides: ints([2, 2]), auto_pad: text("SAME_UPPER") },
  ),
  transposed(
    "in one dimension",
    [
      [2, 2, 5],
      [2, 3, 3],
    ],
    { strides: ints([2]) },
  ),
  ...ceiled,
  {
    ...pool("AveragePool", "with ceil_mode, counting pads as PyTorch does", [
      [1, 1, 6, 6],
      {
        kernel_shape: ints([3, 3]),
        strides: ints([2, 2]),
        pads: ints([1, 1, 1, 1]),
        ceil_mode: int(1),
        count_include_pad: int(1),
      },
    ]),
  },
];
