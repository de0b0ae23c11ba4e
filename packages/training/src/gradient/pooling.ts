import { elementCount } from "@photinus/core/tensor";
import {
  attribute,
  type GraphBuilder,
  type TypedNode,
  tensorOf,
  unsupported,
  type WindowGeometry,
  windowOf,
} from "../graph/index.ts";
import { dataTypeOf, int, ints, text } from "../onnx/index.ts";
import type { Profile } from "./profile.ts";
import { type GradientTable, inputOf, ofOneOutput, outputOf } from "./rule.ts";
import { reshape } from "./unbroadcast.ts";

interface Pooling {
  readonly typed: TypedNode;
  readonly x: string;
  readonly y: string;
  /** Where in x each element of y comes from; only used where the provider has it. */
  readonly indices: string;
  readonly gradient: string;
  readonly window: WindowGeometry;
}

type MaxPoolGradient = (builder: GraphBuilder, pooling: Pooling) => string;

const at = (sizes: readonly number[], axis: number): number => sizes[axis] ?? 0;

const extent = ({ kernel, dilations }: WindowGeometry, axis: number): number =>
  (at(kernel, axis) - 1) * at(dilations, axis) + 1;

const isPadded = ({ padsBegin, padsEnd }: WindowGeometry): boolean =>
  [...padsBegin, ...padsEnd].some((pad) => pad > 0);

const areDisjoint = (window: WindowGeometry): boolean =>
  window.strides.every((stride, axis) => stride >= extent(window, axis));

/**
 * Most elements of the constants that a gradient brings along: more would cost more than they save, and a model from a
 * stranger could ask for terabytes.
 */
const MAX_CONSTANT_ELEMENTS = 2 ** 22;

/** Windows across, up to which {@link byRows} beats indices: its products grow with the square of the width. */
const MAX_WINDOWS_ACROSS = 128;

const areTiles = (window: WindowGeometry): boolean =>
  !isPadded(window) &&
  window.strides.every(
    (stride, axis) => stride === at(window.kernel, axis) && at(window.dilations, axis) === 1,
  );

/** Each gradient goes back to the one element its maximum came from: disjoint windows never meet. */
const byUnpooling: MaxPoolGradient = (builder, { x, indices, gradient, window }) =>
  builder.add("MaxUnpool", [gradient, indices, builder.numbers("i64", builder.shape(x))], {
    attributes: {
      kernel_shape: ints(window.kernel),
      strides: ints(window.strides),
      pads: ints([...window.padsBegin, ...window.padsEnd]),
    },
  });

/** As {@link byUnpooling}, but where windows overlap the gradients that meet are added. */
const byScattering: MaxPoolGradient = (builder, { x, indices, gradient }) => {
  const shape = builder.shape(x);
  const count = elementCount(shape);
  const zeros = builder.add("Expand", [builder.numbers("f32", 0), builder.numbers("i64", [count])]);
  const flat = (value: string): string => reshape(builder, value, [elementCount(builder.shape(value))]);
  const scattered = builder.add("ScatterElements", [zeros, flat(indices), flat(gradient)], {
    attributes: { axis: int(0), reduction: text("add") },
  });
  return reshape(builder, scattered, shape);
};

/** f32 1 where the two are equal, else 0. */
function equality(builder: GraphBuilder, left: string, right: string): string {
  const equal = builder.add("Equal", [left, right]);
  return builder.add("Cast", [equal], { attributes: { to: int(dataTypeOf("f32")) } });
}

/** The gradient shared among the elements that equal the maximum; `axes` are those within a window. */
function shared(
  builder: GraphBuilder,
  isMaximum: string,
  { gradient, axes }: { gradient: string; axes: readonly number[] },
): string {
  const count = builder.add("ReduceSum", [isMaximum, builder.numbers("i64", axes)], {
    attributes: { keepdims: int(1) },
  });
  return builder.add("Mul", [isMaximum, builder.add("Div", [gradient, count])]);
}

/** Windows that tile the input, seen as dimensions of their own: only comparisons and products, no indices. */
const byTiles: MaxPoolGradient = (builder, { x, y, gradient, window }) => {
  const [examples = 1, channels = 1] = builder.shape(x);
  const { kernel, output, input } = window;
  const covered = output.map((size, axis) => size * at(kernel, axis));
  const tiles = [examples * channels, ...output.flatMap((size, axis) => [size, at(kernel, axis)])];
  const perTile = [examples * channels, ...output.flatMap((size) => [size, 1])];
  const axes = output.map((_, axis) => 2 * axis + 2);
  const cropped = crop(builder, x, { from: input, to: covered });
  const isMaximum = equality(builder, reshape(builder, cropped, tiles), reshape(builder, y, perTile));
  const back = shared(builder, isMaximum, { gradient: reshape(builder, gradient, perTile), axes });
  return restore(builder, reshape(builder, back, [examples, channels, ...covered]), {
    from: covered,
    to: input,
  });
};

/**
 * As {@link byTiles}, in the form that CPU kernels like: long inner loops and no broadcasting. A product with a
 * constant matrix repeats each row of windows over the rows and columns they cover; columns that no window covers
 * are zero columns of that matrix. Indices from MaxPool would cost three times as much.
 */
const byRows: MaxPoolGradient = (builder, { x, y, gradient, window }) => {
  const [examples = 1, channels = 1] = builder.shape(x);
  const [rows = 1, columns = 1] = window.output;
  const [kernelRows = 1] = window.kernel;
  const [, width = 1] = window.input;
  const covered = [rows * kernelRows, width];
  const shape = [examples, channels, ...covered];
  const spread = builder.constant(spreadMatrix(window), "spread");
  const overWindows = (value: string): string => {
    const bands = reshape(builder, value, [examples * channels * rows, columns]);
    return reshape(builder, builder.add("Gemm", [bands, spread]), shape);
  };
  const isMaximum = equality(builder, crop(builder, x, { from: window.input, to: covered }), overWindows(y));
  // AveragePool counts the maxima of a window fastest: their share is the gradient over (average · elements).
  const { kernel, strides } = window;
  const average = builder.add("AveragePool", [isMaximum], {
    attributes: { kernel_shape: ints(kernel), strides: ints(strides) },
  });
  const scaled = builder.add("Mul", [gradient, builder.numbers("f32", 1 / elementCount(kernel))]);
  const back = builder.add("Mul", [isMaximum, overWindows(builder.add("Div", [scaled, average]))]);
  return restore(builder, back, { from: covered, to: window.input });
};

/** [columns of windows, rows of a window · width]: 1 where the column of the input belongs to the window, else 0. */
function spreadMatrix({ kernel, output, input }: WindowGeometry) {
  const [kernelRows = 1, kernelColumns = 1] = kernel;
  const [, columns = 1] = output;
  const [, width = 1] = input;
  const across = kernelRows * width;
  const values = Array.from({ length: columns * across }, (_, index) =>
    Math.floor((index % width) / kernelColumns) === Math.floor(index / across) ? 1 : 0,
  );
  return tensorOf("f32", [columns, across], values);
}

interface Resize {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function crop(builder: GraphBuilder, value: string, { from, to }: Resize): string {
  if (from.every((size, axis) => size === at(to, axis))) return value;
  const axes = from.map((_, axis) => axis + 2);
  const lists = [axes.map(() => 0), to, axes].map((list) => builder.numbers("i64", list));
  return builder.add("Slice", [value, ...lists]);
}

function restore(builder: GraphBuilder, value: string, { from, to }: Resize): string {
  if (from.every((size, axis) => size === at(to, axis))) return value;
  const begin = [0, 0, ...from.map(() => 0)];
  const end = [0, 0, ...from.map((size, axis) => at(to, axis) - size)];
  return builder.add("Pad", [value, builder.numbers("i64", [...begin, ...end])]);
}

/**
 * Any windows, without indices: a convolution with one-hot kernels lays each window out as channels, and its
 * transpose adds what comes back. Zeros of the padding are no candidates, though they may equal a maximum of 0.
 */
const byUnfolding: MaxPoolGradient = (builder, { typed, x, y, gradient, window }) => {
  const [examples = 1, channels = 1] = builder.shape(x);
  const taps = elementCount(window.kernel);
  checkConstants(typed, taps * Math.max(taps, elementCount(window.output)));
  const kernel = builder.constant(tensorOf("f32", [taps, 1, ...window.kernel], oneHot(taps)), "one-hot");
  const attributes = windowAttributes(window);
  const planes = reshape(builder, x, [examples * channels, 1, ...window.input]);
  const perWindow = [examples * channels, 1, ...window.output];
  const unfolded = builder.add("Conv", [planes, kernel], { attributes });
  const equal = equality(builder, unfolded, reshape(builder, y, perWindow));
  const isMaximum = isPadded(window)
    ? builder.add("Mul", [equal, builder.constant(validTaps(window), "valid-taps")])
    : equal;
  const back = shared(builder, isMaximum, { gradient: reshape(builder, gradient, perWindow), axes: [1] });
  return fold(builder, back, { kernel, window, shape: builder.shape(x) });
};

const oneHot = (count: number): number[] =>
  Array.from({ length: count * count }, (_, index) => (index % (count + 1) === 0 ? 1 : 0));

function windowAttributes({ kernel, strides, dilations, padsBegin, padsEnd }: WindowGeometry) {
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints([...padsBegin, ...padsEnd]),
  };
}

interface Fold {
  readonly kernel: string;
  readonly window: WindowGeometry;
  readonly shape: readonly number[];
}

/** Adds windows back into planes: the transpose of unfolding with `kernel`. */
function fold(builder: GraphBuilder, windows: string, { kernel, window, shape }: Fold): string {
  const unreached = window.input.map((size, axis) => {
    const padded = size + at(window.padsBegin, axis) + at(window.padsEnd, axis);
    return padded - ((at(window.output, axis) - 1) * at(window.strides, axis) + extent(window, axis));
  });
  const planes = builder.add("ConvTranspose", [windows, kernel], {
    attributes: { ...windowAttributes(window), output_padding: ints(unreached) },
  });
  return reshape(builder, planes, shape);
}

/** [1, taps, ...output]: 1 where the tap of that window lies inside the input, else 0. */
function validTaps(window: WindowGeometry) {
  const taps = elementCount(window.kernel);
  const places = elementCount(window.output);
  const values = Array.from({ length: taps * places }, (_, index) => {
    const tap = coordinates(Math.floor(index / places), window.kernel);
    const place = coordinates(index % places, window.output);
    const inside = place.every((position, axis) => {
      const offset = position * at(window.strides, axis) + at(tap, axis) * at(window.dilations, axis);
      const source = offset - at(window.padsBegin, axis);
      return source >= 0 && source < at(window.input, axis);
    });
    return inside ? 1 : 0;
  });
  return tensorOf("f32", [1, taps, ...window.output], values);
}

function coordinates(index: number, sizes: readonly number[]): number[] {
  let rest = index;
  return sizes
    .toReversed()
    .map((size) => {
      const coordinate = rest % size;
      rest = Math.floor(rest / size);
      return coordinate;
    })
    .reverse();
}

const isNarrowPlane = ({ output: [, columns = 0, ...more] }: WindowGeometry): boolean =>
  columns > 0 && columns <= MAX_WINDOWS_ACROSS && more.length === 0;

/** @throws TrainingError `ERR_MODEL_OPERATOR` for windows that would need so many constants */
function checkConstants({ node }: TypedNode, elements: number): void {
  if (elements > MAX_CONSTANT_ELEMENTS) unsupported(node, "its windows are too large to be differentiated");
}

/**
 * CPU and WASM have indices and MaxUnpool. CUDA has indices. WebGPU has no indices (it fails when the graph runs).
 * Unfolding is not for CUDA: its convolutions may round to TF32, and then no element equals its maximum.
 */
function maxPoolGradient(profile: Profile, window: WindowGeometry): MaxPoolGradient {
  switch (profile) {
    case "cpu":
    case "wasm":
      if (areTiles(window) && isNarrowPlane(window)) return byRows;
      return areDisjoint(window) ? byUnpooling : byScattering;
    case "cuda":
      return areTiles(window) ? byTiles : byScattering;
    case "webgpu":
      return areTiles(window) ? byTiles : byUnfolding;
  }
}

const maxPool = ofOneOutput((backward, gradient) => {
  const window = windowOf(backward.typed);
  const [x, y, indices] = [inputOf(backward, 0), outputOf(backward, 0), outputOf(backward, 1)];
  const differentiate = maxPoolGradient(backward.profile, window);
  return [differentiate(backward.builder, { typed: backward.typed, x, y, indices, gradient, window })];
});

/** Each element of a window gets the same share of its gradient: one over the number of elements that counted. */
const averagePool = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  const window = windowOf(typed);
  const shape = builder.shape(inputOf(backward, 0));
  const [examples = 1, channels = 1] = shape;
  const taps = elementCount(window.kernel);
  const evenly = !isPadded(window) || attribute(typed, "int", "count_include_pad") === 1;
  checkConstants(typed, evenly ? taps : taps * elementCount(window.output));
  const planes = reshape(builder, gradient, [examples * channels, 1, ...window.output]);
  const windows = evenly
    ? planes
    : builder.add("Mul", [planes, builder.constant(sharePerWindow(window), "share-per-window")]);
  const share = new Array<number>(taps).fill(evenly ? 1 / taps : 1);
  const kernel = builder.constant(tensorOf("f32", [1, 1, ...window.kernel], share), "average");
  return [fold(builder, windows, { kernel, window, shape })];
});

/** [1, 1, ...output]: one over the number of elements of each window that lie inside the input. */
function sharePerWindow(window: WindowGeometry) {
  const taps = elementCount(window.kernel);
  const places = elementCount(window.output);
  const valid = new Float32Array(validTaps(window).f32);
  const shares = Array.from({ length: places }, (_, place) => {
    let count = 0;
    for (let tap = 0; tap < taps; tap++) count += valid[tap * places + place] ?? 0;
    return 1 / Math.max(1, count);
  });
  return tensorOf("f32", [1, 1, ...window.output], shares);
}

const globalAveragePool = ofOneOutput(({ builder, typed }, gradient) => {
  const shape = builder.shape(typed.node.inputs[0] ?? "");
  const share = builder.numbers("f32", 1 / elementCount(shape.slice(2)));
  return [builder.add("Expand", [builder.add("Mul", [gradient, share]), builder.numbers("i64", shape)])];
});

/** Gradients of pooling. */
export const POOLING_GRADIENTS: GradientTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
};
