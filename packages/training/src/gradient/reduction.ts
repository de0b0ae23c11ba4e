import { elementCount } from "@photinus/core/tensor";
import { reducedAxes } from "../graph/index.ts";
import {
  algebraOf,
  type Backward,
  type GradientRule,
  type GradientTable,
  inputOf,
  ofOneOutput,
  outputOf,
} from "./rule.ts";

/** A value of the shape of the output, with the dimensions that the reduction removed put back as 1. */
function kept(backward: Backward, value: string): string {
  const axes = reducedAxes(backward.typed);
  const shape = backward.builder.shape(inputOf(backward, 0));
  return algebraOf(backward).reshape(
    value,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
}

/** dx = dy · factor, dy repeated over what was reduced. */
const times = (factor: (backward: Backward, x: string, y: string) => string): GradientRule =>
  ofOneOutput((backward, gradient) => {
    const x = inputOf(backward, 0);
    const y = kept(backward, outputOf(backward, 0));
    return [algebraOf(backward).mul(kept(backward, gradient), factor(backward, x, y))];
  });

function repeated(backward: Backward, gradient: string): string {
  return algebraOf(backward).expand(kept(backward, gradient), backward.builder.shape(inputOf(backward, 0)));
}

const sum = ofOneOutput((backward, gradient) => [repeated(backward, gradient)]);

const mean = ofOneOutput((backward, gradient) => {
  const { builder } = backward;
  const count = elementCount(builder.shape(inputOf(backward, 0))) / elementCount(builder.shape(gradient));
  return [repeated(backward, algebraOf(backward).mul(gradient, 1 / count))];
});

/** Shared among the elements that are the extreme. */
const extreme = ofOneOutput((backward, gradient) => {
  const algebra = algebraOf(backward);
  const y = kept(backward, outputOf(backward, 0));
  const hits = algebra.indicator(algebra.apply("Equal", inputOf(backward, 0), y));
  const count = algebra.reduce("ReduceSum", hits, { axes: reducedAxes(backward.typed) });
  return [algebra.mul(hits, algebra.div(kept(backward, gradient), count))];
});

/** ∂Π/∂xᵢ is the product of the others: of those that are not 0 over xᵢ, or 0 when another one is 0. */
const product = times((backward, x) => {
  const algebra = algebraOf(backward);
  const axes = reducedAxes(backward.typed);
  const isZero = algebra.apply("Equal", x, 0);
  const safe = algebra.apply("Where", isZero, 1, x);
  const zeros = algebra.indicator(isZero);
  const others = algebra.sub(algebra.reduce("ReduceSum", zeros, { axes }), zeros);
  const quotient = algebra.div(algebra.reduce("ReduceProd", safe, { axes }), safe);
  return algebra.apply("Where", algebra.apply("Less", others, 0.5), quotient, 0);
});

/** x / |x|; 0 at the origin, as PyTorch has it. */
const euclidean = times((backward, x, y) => {
  const algebra = algebraOf(backward);
  return algebra.div(x, algebra.apply("Where", algebra.apply("Equal", y, 0), 1, y));
});

/** Gradients of reductions. */
export const REDUCTION_GRADIENTS: GradientTable = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: product,
  ReduceL1: times((backward, x) => algebraOf(backward).apply("Sign", x)),
  ReduceL2: euclidean,
  ReduceSumSquare: times((backward, x) => algebraOf(backward).mul(x, 2)),
  ReduceLogSum: ofOneOutput((backward, gradient) => {
    const algebra = algebraOf(backward);
    return [repeated(backward, algebra.div(gradient, algebra.apply("Exp", outputOf(backward, 0))))];
  }),
  ReduceLogSumExp: times((backward, x, y) => algebraOf(backward).apply("Exp", algebraOf(backward).sub(x, y))),
};
