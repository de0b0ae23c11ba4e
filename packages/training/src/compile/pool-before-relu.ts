import type { Model, Node } from "../onnx/index.ts";

/**
 * MaxPool(Relu(x)) = Relu(MaxPool(x)), value and gradient, since Relu never changes an order; but the second computes
 * Relu and its gradient for a fraction of the elements. Where only the pooling uses what Relu gives, they change places.
 */
export function poolBeforeRelu(model: Model): Model {
  const { graph } = model;
  const producers = new Map<string, Node>();
  const uses = new Map<string, number>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  }
  for (const { name } of graph.outputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  const replaced = new Map<Node, readonly Node[]>();
  for (const pool of graph.nodes) {
    const relu = producers.get(pool.inputs[0] ?? "");
    if (pool.operator !== "MaxPool" || pool.outputs.length !== 1 || relu?.operator !== "Relu") continue;
    const [between = ""] = relu.outputs;
    if (uses.get(between) !== 1) continue;
    replaced.set(relu, []);
    replaced.set(pool, [
      { ...pool, inputs: relu.inputs, outputs: [between] },
      { ...relu, inputs: [between], outputs: pool.outputs },
    ]);
  }
  return {
    ...model,
    graph: { ...graph, nodes: graph.nodes.flatMap((node) => replaced.get(node) ?? [node]) },
  };
}
