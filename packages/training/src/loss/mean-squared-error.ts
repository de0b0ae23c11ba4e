import { elementwiseLoss } from "./elementwise-loss.ts";
import type { Loss } from "./loss.ts";

/** (x - y)² */
export const meanSquaredError: Loss = elementwiseLoss({
  name: "mean-squared-error",
  value: (algebra, x, y) => {
    const difference = algebra.sub(x, y);
    return algebra.mul(difference, difference);
  },
  slope: (algebra, x, y) => algebra.mul(algebra.sub(x, y), 2),
});
