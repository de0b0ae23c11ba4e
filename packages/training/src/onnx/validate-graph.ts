import type { Graph, Node } from "./model.ts";
import { malformed } from "./proto-reader.ts";

/**
 * Proves that each value is assigned once and before it is used, so that the graph has no cycles and one pass in
 * the order of the file computes it (ONNX IR specification, "Graphs").
 *
 * @param outer values of the graphs around this one, which a subgraph may use
 * @throws TrainingError `ERR_MODEL_MALFORMED` naming the value or node
 */
export function validateGraph(graph: Graph, outer: ReadonlySet<string> = new Set()): void {
  const known = new Set(outer);
  for (const { name } of graph.inputs) define(known, name, "an input");
  for (const name of graph.initializers.keys()) define(known, name, "an initializer");
  for (const node of graph.nodes) validateNode(node, known);
  for (const { name } of graph.outputs) {
    if (!known.has(name)) malformed(`output ${name} is never computed`);
  }
  if (new Set(graph.outputs.map(({ name }) => name)).size !== graph.outputs.length) {
    malformed("an output is listed twice");
  }
}

function validateNode(node: Node, known: Set<string>): void {
  for (const input of node.inputs) {
    if (input !== "" && !known.has(input)) {
      malformed(`node ${node.name} (${node.operator}) uses ${input} before it is computed`);
    }
  }
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === "graph") validateGraph(attribute.value, known);
  }
  for (const output of node.outputs) {
    if (output !== "") define(known, output, `node ${node.name}`);
  }
}

function define(known: Set<string>, name: string, by: string): void {
  if (name === "") malformed(`${by} has no name`);
  if (known.has(name)) malformed(`${name} is defined twice`);
  known.add(name);
}
