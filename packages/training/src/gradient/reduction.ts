import { elementCount } from "@photinus/core/tensor";
import { type GraphBuilder, reducedAxes, type TypedNode } from "../graph/index.ts";
import { type GradientTable, inputOf, ofOneOutput } from "./rule.ts";
import { reshape } from "./unbroadcast.ts";

/** The gradient of a reduction, repeated over the dimensions that it removed. */
function repeat(
  builder: GraphBuilder,
  gradient: string,
  { typed, x }: { typed: TypedNode; x: string },
): string {
  const shape = builder.shape(x);
  const axes = reducedAxes(typed);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return builder.add("Expand", [reshape(builder, gradient, kept), builder.numbers("i64", shape)]);
}

const reduceSum = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  return [repeat(builder, gradient, { typed, x: inputOf(backward, 0) })];
});

const reduceMean = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  const x = inputOf(backward, 0);
  const count = elementCount(builder.shape(x)) / elementCount(builder.shape(gradient));
  const share = builder.add("Mul", [gradient, builder.numbers("f32", 1 / count)]);
  return [repeat(builder, share, { typed, x })];
});

/** Gradients of sums and means. */
export const REDUCTION_GRADIENTS: GradientTable = { ReduceSum: reduceSum, ReduceMean: reduceMean };
