import { elementwiseLoss } from "./elementwise-loss.ts";
import type { Loss } from "./loss.ts";

/** |x - y|, whose slope at 0 is 0. */
export const meanAbsoluteError: Loss = elementwiseLoss({
  name: "mean-absolute-error",
  value: (algebra, x, y) => algebra.apply("Abs", algebra.sub(x, y)),
  slope: (algebra, x, y) => algebra.apply("Sign", algebra.sub(x, y)),
});
