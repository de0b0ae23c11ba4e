import type { HuberOptions } from "@photinus/core/job";
import type { Algebra } from "../graph/index.ts";
import { elementwiseLoss } from "./elementwise-loss.ts";
import type { Loss } from "./loss.ts";

/** d² / 2 where |d| ≤ δ, else δ (|d| - δ / 2), of d = x - y (Huber 1964). */
export function huber({ delta = 1 }: Omit<HuberOptions, "name">): Loss {
  // c = clip(d, -δ, δ) is the slope, and c (d - c / 2) the value, on both sides of δ.
  const clipped = (algebra: Algebra, difference: string): string =>
    algebra.apply("Clip", difference, -delta, delta);
  return elementwiseLoss({
    name: "huber",
    value: (algebra, x, y) => {
      const difference = algebra.sub(x, y);
      const slope = clipped(algebra, difference);
      return algebra.mul(slope, algebra.sub(difference, algebra.mul(slope, 0.5)));
    },
    slope: (algebra, x, y) => clipped(algebra, algebra.sub(x, y)),
  });
}
