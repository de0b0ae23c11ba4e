import type { AdagradConstants } from "@photinus/core/job";
import type { Optimizer } from "./optimizer.ts";

/** Adagrad (Duchi et al. 2011): G' = G + g², p' = p - η g / (√G' + ε). As torch.optim.Adagrad. */
export function adagrad({ epsilon = 1e-10 }: Omit<AdagradConstants, "name">): Optimizer {
  return {
    takesScaledGradients: false,
    decays: "gradient",
    update: ({ algebra, parameter, gradient, rate, state }) => {
      const square = algebra.mul(gradient, gradient);
      const sum = state("square-sum", (before) => algebra.add(before, square));
      const direction = algebra.div(gradient, algebra.add(algebra.apply("Sqrt", sum), epsilon));
      return algebra.sub(parameter, algebra.mul(direction, rate));
    },
  };
}
