import { equalShapes, type GraphBuilder } from "../graph/index.ts";
import { int } from "../onnx/index.ts";

/** `value` seen with another shape of as many elements; itself when it has that shape. */
export function reshape(builder: GraphBuilder, value: string, shape: readonly number[]): string {
  if (equalShapes(builder.shape(value), shape)) return value;
  return builder.add("Reshape", [value, builder.numbers("i64", shape)], {
    attributes: shape.includes(0) ? { allowzero: int(1) } : {},
  });
}

/** The sum of `value` over `axes`, which vanish. */
export function sumOver(builder: GraphBuilder, value: string, axes: readonly number[]): string {
  return builder.add("ReduceSum", [value, builder.numbers("i64", axes)], {
    attributes: { keepdims: int(0) },
  });
}

/** Undoes broadcasting: `gradient` summed over every dimension in which an operand of `shape` was repeated. */
export function unbroadcast(builder: GraphBuilder, gradient: string, shape: readonly number[]): string {
  const full = builder.shape(gradient);
  const repeated = full.flatMap((size, axis) => {
    const own = shape[axis - full.length + shape.length];
    return own === undefined || (own === 1 && size !== 1) ? [axis] : [];
  });
  const summed = repeated.length === 0 ? gradient : sumOver(builder, gradient, repeated);
  return reshape(builder, summed, shape);
}
