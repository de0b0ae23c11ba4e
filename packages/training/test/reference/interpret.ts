import type { Tensor } from "@photinus/core/tensor";
import { type GraphBuilder, numbersOf, type TypedNode } from "../../src/graph/index.ts";
import { EVALUATE, maxPoolIndices, splitParts } from "./operators/index.ts";
import type { Value } from "./value.ts";

/** Runs the nodes of `builder` in float64. @returns every value by name */
export function interpret(
  builder: GraphBuilder,
  feeds: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  const values = new Map(feeds);
  const read = (name: string): Value => {
    const constant = builder.constantOf(name);
    const value = values.get(name) ?? (constant && constantValue(constant));
    if (value === undefined) throw new Error(`${name} has no value`);
    return value;
  };
  for (const typed of builder.nodes) {
    const inputs = typed.node.inputs.map((input) => (input === "" ? undefined : read(input)));
    for (const [name, value] of outputsOf(builder, typed, inputs)) values.set(name, value);
  }
  return values;
}

/** Inputs that are left out are undefined; only those at the end and the bounds of Clip ever are. */
function outputsOf(
  builder: GraphBuilder,
  typed: TypedNode,
  inputs: readonly (Value | undefined)[],
): [string, Value][] {
  const { node } = typed;
  if (node.operator === "Split") {
    return splitParts(inputs[0]!, typed).map((part, index) => [node.outputs[index]!, part]);
  }
  const evaluate = EVALUATE[node.operator];
  if (evaluate === undefined) throw new Error(`the reference lacks ${node.operator}`);
  const [first = "", indices = ""] = node.outputs;
  const outputs: [string, Value][] = [
    [first, evaluate(inputs as readonly Value[], typed, builder.shape(first))],
  ];
  if (indices !== "") outputs.push([indices, maxPoolIndices(inputs[0]!, typed, builder.shape(indices))]);
  return outputs;
}

const constantValue = (tensor: Tensor): Value => ({
  shape: tensor.shape,
  data: Float64Array.from(numbersOf(tensor)),
});
