import { attribute, inputType, normalAxis, padOf, permutationOf, sliceOf, splitOf } from "../graph/index.ts";
import { dataTypeOf, int, ints } from "../onnx/index.ts";
import {
  algebraOf,
  type Backward,
  type GradientRule,
  type GradientTable,
  inputOf,
  ofOneOutput,
} from "./rule.ts";
import { unbroadcast } from "./unbroadcast.ts";

/** The same elements in the shape of the input. */
const back = ofOneOutput((backward, gradient) => [
  algebraOf(backward).reshape(gradient, inputType(backward.typed, 0).shape),
]);

const transpose = ofOneOutput(({ builder, typed }, gradient) => {
  const order = permutationOf(typed);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return [builder.add("Transpose", [gradient], { attributes: { perm: ints(inverse) } })];
});

const expand = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  return [unbroadcast(builder, gradient, builder.shape(inputOf(backward, 0)))];
});

const cast = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  const { dtype } = builder.type(inputOf(backward, 0));
  return [builder.add("Cast", [gradient], { attributes: { to: int(dataTypeOf(dtype)) } })];
});

/** Zeros where the slice did not reach. Other steps than 1 were picked one by one when the model was imported. */
const slice = ofOneOutput((backward, gradient) => {
  const { starts, shape } = sliceOf(backward.typed);
  const full = inputType(backward.typed, 0).shape;
  const behind = full.map((size, axis) => size - (starts[axis] ?? 0) - (shape[axis] ?? 0));
  return [algebraOf(backward).pad(gradient, starts, behind)];
});

/** What lies inside the pads; where they took away, zeros. */
const pad = ofOneOutput((backward, gradient) => {
  const algebra = algebraOf(backward);
  const { begin, end } = padOf(backward.typed);
  const kept = begin.map((before, axis) => {
    const size = backward.builder.shape(gradient)[axis] ?? 0;
    return { axis, start: Math.max(before, 0), end: size - Math.max(end[axis] ?? 0, 0) };
  });
  const lost = (counts: readonly number[]): number[] => counts.map((count) => Math.max(-count, 0));
  return [algebra.pad(algebra.slice(gradient, ...kept), lost(begin), lost(end))];
});

const concat = ofOneOutput((backward, gradient) => {
  const { typed, wants } = backward;
  const rank = inputType(typed, 0).shape.length;
  const axis = normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, rank);
  let start = 0;
  return typed.node.inputs.map((_, index) => {
    const size = inputType(typed, index).shape[axis] ?? 0;
    const range = { axis, start, end: start + size };
    start += size;
    return wants[index] ? algebraOf(backward).slice(gradient, range) : undefined;
  });
});

/** The gradients of the parts side by side, zeros for those that nobody used. */
const split: GradientRule = (backward: Backward) => {
  const { typed, gradients } = backward;
  const algebra = algebraOf(backward);
  const { axis, sizes } = splitOf(typed);
  const { shape } = inputType(typed, 0);
  const parts = sizes.map((size, index) => gradients[index] ?? algebra.zeros(shape.toSpliced(axis, 1, size)));
  return [algebra.concat(parts, axis)];
};

/** Gradients of operators that rearrange elements. */
export const VIEW_GRADIENTS: GradientTable = {
  Cast: cast,
  Concat: concat,
  Expand: expand,
  Flatten: back,
  Identity: back,
  Pad: pad,
  Reshape: back,
  Slice: slice,
  Split: split,
  Squeeze: back,
  Transpose: transpose,
  Unsqueeze: back,
};
