import type { Algebra } from "../graph/index.ts";
import { elementwiseLoss } from "./elementwise-loss.ts";
import type { Loss } from "./loss.ts";

// -y log σ(x) - (1 - y) log(1 - σ(x)) = max(x, 0) - x y + log(1 + exp(-|x|)), which no x overflows.
const value = (algebra: Algebra, x: string, y: string): string => {
  const softened = algebra.apply("Exp", algebra.apply("Neg", algebra.apply("Abs", x)));
  const rest = algebra.apply("Log", algebra.add(softened, 1));
  return algebra.add(algebra.sub(algebra.apply("Relu", x), algebra.mul(x, y)), rest);
};

/** A probability above one half answers yes; a label above one half is one. */
const right = (algebra: Algebra, x: string, y: string): string => {
  const answer = algebra.indicator(algebra.apply("Greater", x, 0));
  const truth = algebra.indicator(algebra.apply("Greater", y, 0.5));
  return algebra.indicator(algebra.apply("Equal", answer, truth));
};

/** Cross-entropy of logits of yes and no, each with a label in [0, 1]; several per example are judged one by one. */
export const binaryCrossEntropy: Loss = elementwiseLoss({
  name: "binary-cross-entropy",
  value,
  slope: (algebra, x, y) => algebra.sub(algebra.apply("Sigmoid", x), y),
  right,
});
