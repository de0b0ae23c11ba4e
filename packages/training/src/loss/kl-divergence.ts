import { TrainingError } from "@photinus/core/errors";
import { elementCount } from "@photinus/core/tensor";
import type { Profile } from "../gradient/index.ts";
import { Algebra, type GraphBuilder, type ValueType } from "../graph/index.ts";
import { distributionOf } from "./distribution.ts";
import { type Loss, type LossInputs, type LossTypes, type LossValue, weightsOf } from "./loss.ts";

/** The least positive normal f32: log of it times 0 is 0, where log of 0 times 0 is no number. */
const LEAST = 1.175_494_4e-38;

function types({ dtype, shape }: ValueType): LossTypes {
  const classes = shape.at(-1) ?? 0;
  if (dtype !== "f32" || shape.length < 2 || classes < 2) {
    const what = `kl-divergence needs f32 logits [examples, ..., classes], got [${shape}]`;
    throw new TrainingError("ERR_MODEL_SHAPE", what);
  }
  const termsPerExample = elementCount(shape.slice(1, -1));
  return { labels: { dtype, shape }, weights: weightsOf(shape), termsPerExample };
}

// L = Σ w t (log t - log softmax(x)), so ∂L/∂x = w (softmax(x) Σ t - t).
function differentiate(
  builder: GraphBuilder,
  { output, labels, weights }: LossInputs,
  profile: Profile,
): LossValue {
  const algebra = new Algebra(builder);
  const axis = builder.shape(output).length - 1;
  const { logarithms, probabilities } = distributionOf(builder, output, { profile, axis });
  const target = algebra.mul(labels, weights);
  const entropy = algebra.apply("Log", algebra.apply("Max", labels, LEAST));
  const loss = algebra.total(algebra.mul(target, algebra.sub(entropy, logarithms)));
  const whole = algebra.reduce("ReduceSum", target, { axes: [axis] });
  return { loss, gradient: algebra.sub(algebra.mul(probabilities, whole), target) };
}

/** The divergence of softmax(logits) from a distribution that each label is, as a teacher's: f32, of the logits' shape. */
export const klDivergence: Loss = {
  types,
  differentiate,
  measure: (builder, inputs) => ({ lossSum: differentiate(builder, inputs, "webgpu").loss }),
};
