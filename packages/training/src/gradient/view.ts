import { permutationOf } from "../graph/index.ts";
import { dataTypeOf, int, ints } from "../onnx/index.ts";
import { type GradientTable, inputOf, ofOneOutput } from "./rule.ts";
import { reshape, unbroadcast } from "./unbroadcast.ts";

/** The same elements in the shape of the input. */
const back = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  return [reshape(builder, gradient, builder.shape(inputOf(backward, 0)))];
});

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

/** Gradients of operators that rearrange elements. */
export const VIEW_GRADIENTS: GradientTable = {
  Cast: cast,
  Expand: expand,
  Flatten: back,
  Identity: back,
  Reshape: back,
  Squeeze: back,
  Transpose: transpose,
  Unsqueeze: back,
};
