import type { RmspropConstants } from "@photinus/core/job";
import { blend, type Optimizer } from "./optimizer.ts";

/**
 * RMSProp (Hinton 2012, lecture 6e): v' = α v + (1 - α) g², b' = μ b + g / (√v' + ε), p' = p - η b'. As
 * torch.optim.RMSprop, not centred.
 */
export function rmsprop({
  smoothing = 0.99,
  momentum = 0,
  epsilon = 1e-8,
}: Omit<RmspropConstants, "name">): Optimizer {
  return {
    takesScaledGradients: false,
    decays: "gradient",
    update: ({ algebra, parameter, gradient, rate, state }) => {
      const square = algebra.mul(gradient, gradient);
      const meanSquare = state("mean-square", (before) => blend(algebra, smoothing, [before, square]));
      const scaled = algebra.div(gradient, algebra.add(algebra.apply("Sqrt", meanSquare), epsilon));
      const accelerated = (before: string): string => algebra.add(algebra.mul(before, momentum), scaled);
      const direction = momentum === 0 ? scaled : state("velocity", accelerated);
      return algebra.sub(parameter, algebra.mul(direction, rate));
    },
  };
}
