import type { GraphBuilder } from "../graph/index.ts";
import { float } from "../onnx/index.ts";
import type { Optimizer, OptimizerOptions, Update, Updated } from "./optimizer.ts";

// v' = μ v + η g, p' = p - v'. With η inside, each weight is passed over once less than with p' = p - η v'.
function update(
  builder: GraphBuilder,
  { parameter, gradient, state }: Update,
  { momentum }: OptimizerOptions,
): Updated {
  if (momentum === 0) return { parameter: builder.add("Sub", [parameter, gradient]), states: {} };
  const velocity = accelerate(builder, { velocity: state("velocity"), gradient, momentum });
  return { parameter: builder.add("Sub", [parameter, velocity]), states: { velocity } };
}

interface Acceleration {
  readonly velocity: string;
  readonly gradient: string;
  readonly momentum: number;
}

/** μ v + g. Where g is a plain product of matrices, the Gemm that makes it adds μ v on its way: two passes less. */
function accelerate(builder: GraphBuilder, { velocity, gradient, momentum }: Acceleration): string {
  const node = builder.nodes.find((typed) => typed.node.outputs[0] === gradient)?.node;
  if (node?.operator === "Gemm" && node.inputs.length === 2) {
    const attributes = { ...Object.fromEntries(node.attributes), beta: float(momentum) };
    return builder.add("Gemm", [...node.inputs, velocity], { attributes });
  }
  const decayed = builder.add("Mul", [velocity, builder.numbers("f32", momentum)]);
  return builder.add("Add", [decayed, gradient]);
}

/**
 * Stochastic gradient descent with momentum, the learning rate inside the velocity (Sutskever et al. 2013, equations 1
 * and 2). While the learning rate does not change, it takes the same steps as torch.optim.SGD without dampening and
 * Nesterov. Without momentum there is no state.
 */
export const sgd: Optimizer = { scalesGradients: true, update };
