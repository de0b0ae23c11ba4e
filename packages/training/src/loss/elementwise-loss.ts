import { TrainingError } from "@photinus/core/errors";
import { Algebra, type GraphBuilder, type ValueType } from "../graph/index.ts";
import { totalOf } from "./distribution.ts";
import { type Loss, type LossInputs, weightsOf } from "./loss.ts";

/** A loss of single numbers as formulas of output and label. */
export interface ElementwiseFormulas {
  /** For errors. */
  readonly name: string;
  /** The loss of each number. */
  readonly value: (algebra: Algebra, output: string, label: string) => string;
  /** Its derivative by the output. */
  readonly slope: (algebra: Algebra, output: string, label: string) => string;
  /** f32 1 where the answer is right, else 0; absent where no answer is simply right or wrong. */
  readonly right?: (algebra: Algebra, output: string, label: string) => string;
}

/** A loss that compares each number of the output with a label of its own: labels are f32, of the output's shape. */
export function elementwiseLoss({ name, value, slope, right }: ElementwiseFormulas): Loss {
  const weighted = (builder: GraphBuilder, { output, labels, weights }: LossInputs, of: typeof value) => {
    const algebra = new Algebra(builder);
    return algebra.mul(of(algebra, output, labels), weights);
  };
  return {
    types: (output) => typesOf(name, output),
    differentiate: (builder, inputs) => ({
      loss: totalOf(builder, weighted(builder, inputs, value)),
      gradient: weighted(builder, inputs, slope),
    }),
    measure: (builder, inputs) => ({
      lossSum: totalOf(builder, weighted(builder, inputs, value)),
      ...(right === undefined ? {} : { correct: totalOf(builder, weighted(builder, inputs, right)) }),
    }),
  };
}

function typesOf(name: string, { dtype, shape }: ValueType): ReturnType<Loss["types"]> {
  if (dtype !== "f32" || shape.length === 0) {
    throw new TrainingError("ERR_MODEL_SHAPE", `${name} needs an f32 output, got ${dtype}[${shape}]`);
  }
  const termsPerExample = shape.slice(1).reduce((product, size) => product * size, 1);
  return { labels: { dtype, shape }, weights: weightsOf(shape), termsPerExample };
}
