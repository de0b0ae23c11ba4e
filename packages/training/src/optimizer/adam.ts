import type { AdamConstants } from "@photinus/core/job";
import { blend, type Optimizer } from "./optimizer.ts";

/**
 * Adam (Kingma and Ba 2015, algorithm 1, with the corrections of section 2 in the step): weight decay joins the gradient,
 * or acts beside it for `adamw` (Loshchilov and Hutter 2019, algorithm 2). As torch.optim.Adam and AdamW.
 */
export function adam({
  name,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
}: Omit<AdamConstants, "weightDecay">): Optimizer {
  // m / (1 - β₁ᵗ) over √(v / (1 - β₂ᵗ)) + ε is √(1 - β₂ᵗ) / (1 - β₁ᵗ) times m over √v + ε √(1 - β₂ᵗ).
  const root = (update: number): number => Math.sqrt(1 - beta2 ** update);
  return {
    takesScaledGradients: false,
    decays: name === "adamw" ? "parameter" : "gradient",
    update: ({ algebra, parameter, gradient, rate, state, scalar }) => {
      const mean = state("mean", (before) => blend(algebra, beta1, [before, gradient]));
      const square = algebra.mul(gradient, gradient);
      const meanSquare = state("mean-square", (before) => blend(algebra, beta2, [before, square]));
      const correction = scalar("adam-correction", (update) => root(update) / (1 - beta1 ** update));
      const floor = scalar("adam-epsilon", (update) => epsilon * root(update));
      const direction = algebra.div(mean, algebra.add(algebra.apply("Sqrt", meanSquare), floor));
      return algebra.sub(parameter, algebra.mul(direction, algebra.mul(rate, correction)));
    },
  };
}
