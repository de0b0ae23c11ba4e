import type { LionConstants } from "@photinus/core/job";
import { blend, type Optimizer } from "./optimizer.ts";

/**
 * Lion (Chen et al. 2023, algorithm 2): p' = p - η sign(β₁ m + (1 - β₁) g), m' = β₂ m + (1 - β₂) g, with weight decay
 * beside the gradient.
 */
export function lion({ beta1 = 0.9, beta2 = 0.99 }: Omit<LionConstants, "name">): Optimizer {
  return {
    takesScaledGradients: false,
    decays: "parameter",
    update: ({ algebra, parameter, gradient, rate, state }) => {
      let direction = "";
      state("momentum", (before) => {
        direction = algebra.apply("Sign", blend(algebra, beta1, [before, gradient]));
        return blend(algebra, beta2, [before, gradient]);
      });
      return algebra.sub(parameter, algebra.mul(direction, rate));
    },
  };
}
