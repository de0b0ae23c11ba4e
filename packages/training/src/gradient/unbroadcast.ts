import { Algebra, type GraphBuilder } from "../graph/index.ts";

/** `value` seen with another shape of as many elements; itself when it has that shape. */
export function reshape(builder: GraphBuilder, value: string, shape: readonly number[]): string {
  return new Algebra(builder).reshape(value, shape);
}

/** The sum of `value` over `axes`, which vanish. */
export function sumOver(builder: GraphBuilder, value: string, axes: readonly number[]): string {
  return new Algebra(builder).reduce("ReduceSum", value, { axes, keep: false });
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
