import { TrainingError } from "@photinus/core/errors";
import { elementCount } from "@photinus/core/tensor";
import { Algebra, type ValueType } from "../graph/index.ts";
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
  const weighted = (algebra: Algebra, { output, labels, weights }: LossInputs, of: typeof value): string =>
    algebra.mul(of(algebra, output, labels), weights);
  return {
    types: (output) => typesOf(name, output),
    differentiate: (builder, inputs) => {
      const algebra = new Algebra(builder);
      const loss = algebra.total(weighted(algebra, inputs, value));
      return { loss, gradient: weighted(algebra, inputs, slope) };
    },
    measure: (builder, inputs) => {
      const algebra = new Algebra(builder);
      const lossSum = algebra.total(weighted(algebra, inputs, value));
      if (right === undefined) return { lossSum };
      return { lossSum, correct: algebra.total(weighted(algebra, inputs, right)) };
    },
  };
}

function typesOf(name: string, { dtype, shape }: ValueType): ReturnType<Loss["types"]> {
  if (dtype !== "f32" || shape.length === 0) {
    throw new TrainingError("ERR_MODEL_SHAPE", `${name} needs an f32 output, got ${dtype}[${shape}]`);
  }
  const termsPerExample = elementCount(shape.slice(1));
  return { labels: { dtype, shape }, weights: weightsOf(shape), termsPerExample };
}
