import { elementCount, Tensor } from "@photinus/core/tensor";
import {
  attribute,
  type GraphBuilder,
  inputType,
  transposedWindowOf,
  type WindowGeometry,
  windowOf,
} from "../graph/index.ts";
import { int, ints } from "../onnx/index.ts";
import type { Profile } from "./profile.ts";
import { type GradientTable, inputOf, ofOneOutput } from "./rule.ts";
import { reshape, sumOver } from "./unbroadcast.ts";

interface Convolution {
  readonly x: string;
  readonly w: string;
  readonly gradient: string;
  readonly group: number;
  readonly window: WindowGeometry;
  readonly profile: Profile;
}

const at = (sizes: readonly number[], axis: number): number => sizes[axis] ?? 0;

/**
 * dX = ConvTranspose(dY, W) with the same strides, pads, dilations and groups. Rows at the end of the input that
 * no window reached are the output padding.
 */
function byInput(builder: GraphBuilder, { w, gradient, group, window }: Convolution): string {
  const { kernel, strides, dilations, padsBegin, padsEnd, input, output } = window;
  const unreached = input.map((size, axis) => {
    const extent = (at(kernel, axis) - 1) * at(dilations, axis) + 1;
    const padded = size + at(padsBegin, axis) + at(padsEnd, axis);
    return padded - ((at(output, axis) - 1) * at(strides, axis) + extent);
  });
  return builder.add("ConvTranspose", [gradient, w], {
    attributes: {
      kernel_shape: ints(kernel),
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints([...padsBegin, ...padsEnd]),
      output_padding: ints(unreached),
      group: int(group),
    },
  });
}

/**
 * dW[m, c, t] = Σ over n, o of dY[n, m, o] · X[n, c, o · stride + t · dilation]: a convolution in which the examples
 * are the channels, dY is the kernel, and strides and dilations change places. With groups, those of the input
 * stand side by side: X as [C / g, g · N, ...], dY as [M, N, ...], again in g groups.
 */
function byWeights(builder: GraphBuilder, { x, w, gradient, group, window, profile }: Convolution): string {
  const { kernel, strides, dilations, output } = window;
  const spatial = kernel.map((_, axis) => axis + 2);
  const { value, pads } = padded(builder, examplesAsChannels(builder, x, group), { window, profile });
  const correlated = builder.add("Conv", [value, swapped(builder, gradient)], {
    attributes: {
      kernel_shape: ints(output),
      strides: ints(dilations),
      dilations: ints(strides),
      pads: ints(pads),
      group: int(group),
    },
  });
  // Input that no window reached makes the result larger than the kernel.
  const sizes = builder.shape(correlated).slice(2);
  const cropped = sizes.every((size, axis) => size === at(kernel, axis))
    ? correlated
    : builder.add("Slice", [
        correlated,
        builder.numbers(
          "i64",
          kernel.map(() => 0),
        ),
        builder.numbers("i64", kernel),
        builder.numbers("i64", spatial),
      ]);
  return reshape(builder, swapped(builder, cropped), builder.shape(w));
}

/**
 * The pads of a convolution whose kernel may be as large as its input. There the WebGPU provider of ONNX Runtime 1.30
 * overlooks pads at the end if there are none at the begin: zeros are joined to the input instead. (Not by Pad: the
 * runtime would make pads of the convolution of it again.)
 */
function padded(
  builder: GraphBuilder,
  value: string,
  { window: { padsBegin, padsEnd }, profile }: Pick<Convolution, "window" | "profile">,
): { readonly value: string; readonly pads: readonly number[] } {
  const pads = [...padsBegin, ...padsEnd];
  const onlyAtEnd = padsBegin.every((pad) => pad === 0) && padsEnd.some((pad) => pad > 0);
  if (profile !== "webgpu" || !onlyAtEnd) return { value, pads };
  const joined = padsEnd.reduce(
    (whole, pad, spatial) => joinZeros(builder, whole, { axis: spatial + 2, pad }),
    value,
  );
  return { value: joined, pads: pads.map(() => 0) };
}

function joinZeros(
  builder: GraphBuilder,
  value: string,
  { axis, pad }: { axis: number; pad: number },
): string {
  if (pad === 0) return value;
  const shape = builder.shape(value).map((size, index) => (index === axis ? pad : size));
  const zeros = builder.constant(Tensor.f32(shape, new Float32Array(elementCount(shape))), "zeros");
  return builder.add("Concat", [value, zeros], { attributes: { axis: int(axis) } });
}

/** Exchanges the first two dimensions; where one of them is 1, the memory is the same. */
function swapped(builder: GraphBuilder, value: string): string {
  const [first = 1, second = 1, ...rest] = builder.shape(value);
  if (first === 1 || second === 1) return reshape(builder, value, [second, first, ...rest]);
  const perm = [1, 0, ...rest.map((_, axis) => axis + 2)];
  return builder.add("Transpose", [value], { attributes: { perm: ints(perm) } });
}

/** [N, g · C, ...] as [C, g · N, ...] */
function examplesAsChannels(builder: GraphBuilder, x: string, group: number): string {
  if (group === 1) return swapped(builder, x);
  const [examples = 1, channels = 1, ...rest] = builder.shape(x);
  const perGroup = channels / group;
  const split = reshape(builder, x, [examples, group, perGroup, ...rest]);
  const perm = [2, 1, 0, ...rest.map((_, axis) => axis + 3)];
  const turned = builder.add("Transpose", [split], { attributes: { perm: ints(perm) } });
  return reshape(builder, turned, [perGroup, group * examples, ...rest]);
}

const conv = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const weights = inputType(typed, 1).shape;
  const convolution: Convolution = {
    x: inputOf(backward, 0),
    w: inputOf(backward, 1),
    gradient,
    group: attribute(typed, "int", "group") ?? 1,
    window: windowOf(typed, weights.slice(2)),
    profile: backward.profile,
  };
  const everywhere = [0, ...weights.slice(2).map((_, axis) => axis + 2)];
  return [
    wants[0] ? byInput(builder, convolution) : undefined,
    wants[1] ? byWeights(builder, convolution) : undefined,
    wants[2] ? sumOver(builder, gradient, everywhere) : undefined,
  ];
});

/**
 * ConvTranspose is the transpose of a convolution with the same weights: dX is that convolution of dY, and dW is that
 * of its weights, with dY as its input and x as the gradient of its output.
 */
const convTranspose = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const [x, w] = [inputOf(backward, 0), inputOf(backward, 1)];
  const group = attribute(typed, "int", "group") ?? 1;
  const window = transposedWindowOf(typed);
  const { kernel, strides, dilations, padsBegin, padsEnd } = window;
  const byInput = (): string =>
    builder.add("Conv", [gradient, w], {
      attributes: {
        kernel_shape: ints(kernel),
        strides: ints(strides),
        dilations: ints(dilations),
        pads: ints([...padsBegin, ...padsEnd]),
        group: int(group),
      },
    });
  const convolution: Convolution = { x: gradient, w, gradient: x, group, window, profile: backward.profile };
  const everywhere = [0, ...window.kernel.map((_, axis) => axis + 2)];
  return [
    wants[0] ? byInput() : undefined,
    wants[1] ? byWeights(builder, convolution) : undefined,
    wants[2] ? sumOver(builder, gradient, everywhere) : undefined,
  ];
});

/** Gradients of convolutions. */
export const CONVOLUTION_GRADIENTS: GradientTable = { Conv: conv, ConvTranspose: convTranspose };
