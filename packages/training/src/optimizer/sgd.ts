import type { SgdConstants } from "@photinus/core/job";
import { float } from "../onnx/index.ts";
import type { Optimizer, Update } from "./optimizer.ts";

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD without dampening: v' = μ v + g, p' = p - η v', or with
 * Nesterov's momentum p' = p - η (g + μ v'). A scaled gradient puts the learning rate inside the velocity (Sutskever et
 * al. 2013, equations 1 and 2): the same steps while it does not change, and one pass over the weights less. Without
 * momentum there is no state.
 */
export function sgd({ momentum, nesterov = false }: Omit<SgdConstants, "name">): Optimizer {
  const update = (step: Update): string => {
    const { algebra, parameter, gradient, rate, isScaled, state } = step;
    const descend = (direction: string): string =>
      algebra.sub(parameter, isScaled ? direction : algebra.mul(direction, rate));
    if (momentum === 0) return descend(gradient);
    const velocity = state("velocity", (before) => accelerate(step, before, momentum));
    return descend(nesterov ? algebra.add(gradient, algebra.mul(velocity, momentum)) : velocity);
  };
  return { takesScaledGradients: true, decays: "gradient", update };
}

/** μ v + g. Where g is a plain product of matrices, the Gemm that makes it adds μ v on its way: two passes less. */
function accelerate(
  { builder, algebra, gradient, isScaled }: Update,
  velocity: string,
  momentum: number,
): string {
  const node = builder.nodes.find((typed) => typed.node.outputs[0] === gradient)?.node;
  if (isScaled && node?.operator === "Gemm" && node.inputs.length === 2) {
    const attributes = { ...Object.fromEntries(node.attributes), beta: float(momentum) };
    return builder.add("Gemm", [...node.inputs, velocity], { attributes });
  }
  return algebra.add(algebra.mul(velocity, momentum), gradient);
}
