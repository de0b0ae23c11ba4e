import type { GraphBuilder } from "../graph/index.ts";
import { float } from "../onnx/index.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * Stochastic gradient descent with momentum, in PyTorch's form (torch.optim.SGD, without dampening and Nesterov):
 * v' = μ v + g, p' = p - η v'. Without momentum there is no state.
 */
export const sgd: Optimizer = (builder, { parameter, gradient, learningRate, state }, { momentum }) => {
  const descend = (direction: string): string =>
    builder.add("Sub", [parameter, builder.add("Mul", [direction, learningRate])]);
  if (momentum === 0) return { parameter: descend(gradient), states: {} };
  const velocity = accelerate(builder, { velocity: state("velocity"), gradient, momentum });
  return { parameter: descend(velocity), states: { velocity } };
};

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
