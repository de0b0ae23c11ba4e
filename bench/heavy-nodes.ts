import type { Bytes } from "@photinus/core/bytes";
import type { CompiledStep } from "@photinus/training";
import { GraphBuilder } from "../packages/training/src/graph/index.ts";
import { type Node, readModel, writeModel } from "../packages/training/src/onnx/index.ts";

/** A graph that computes nothing but a step's products: what no implementation of the step can leave out. */
export interface HeavyGraph {
  readonly model: Bytes;
  /** Shapes of its inputs, all f32, by name. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
}

/**
 * The nodes of `operators` in a compiled step, each with inputs of its own and without biases and addends: a Gemm is
 * a bare product, a Conv a bare convolution.
 */
export function heavyNodes(step: CompiledStep, operators: ReadonlySet<string>): HeavyGraph {
  const { graph } = readModel(step.model);
  const whole = new GraphBuilder();
  const names = new Map<string, string>();
  for (const { name, dtype, shape } of graph.inputs) {
    names.set(name, whole.input(name, { dtype, shape: (shape ?? []).map(Number) }));
  }
  for (const [name, tensor] of graph.initializers) names.set(name, whole.constant(tensor, name));
  const heavy = new GraphBuilder();
  const outputs = new Map<string, string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => (input === "" ? "" : (names.get(input) ?? "")));
    const given = whole.addNode({ ...node, inputs });
    node.outputs.forEach((output, index) => {
      names.set(output, given[index] ?? "");
    });
    if (operators.has(node.operator)) {
      const factors = inputs.slice(0, 2).map((input) => heavy.input("factor", whole.type(input)));
      outputs.set(`product${outputs.size}`, addProduct(heavy, node, factors));
    }
  }
  const only = heavy.build("heavy", outputs);
  const shapes = (values: typeof only.inputs) =>
    new Map(values.map(({ name, shape }) => [name, (shape ?? []).map(Number)] as const));
  return {
    model: writeModel({ irVersion: 9, opset: 20, producer: "photinus", graph: only }),
    inputs: shapes(only.inputs),
    outputs: shapes(only.outputs),
  };
}

function addProduct(builder: GraphBuilder, node: Node, factors: readonly string[]): string {
  const attributes = new Map([...node.attributes].filter(([name]) => name !== "beta"));
  const [output = ""] = builder.addNode({ ...node, inputs: factors, outputs: ["out"], attributes });
  return output;
}
