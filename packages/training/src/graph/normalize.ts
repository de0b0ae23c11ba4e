import type { Node } from "../onnx/index.ts";
import type { GraphBuilder } from "./builder.ts";
import { attribute, unsupported } from "./typed-node.ts";

/** The operator set that compiled graphs are written in. */
export const TARGET_OPSET = 20;

/** What a normalization may need. */
export interface NormalizeContext {
  /** Operator set of the file. */
  readonly opset: number;
  /** Takes constants that stand where attributes stood. */
  readonly builder: GraphBuilder;
}

type Normalization = (node: Node, context: NormalizeContext) => Node;

/** Until opset 18 the axes of ReduceMean and ReduceMax were an attribute. */
const axesToInput: Normalization = (node, { opset, builder }) => {
  const axes = attribute({ node }, "ints", "axes");
  if (opset >= 18 || axes === undefined) return node;
  const input = builder.numbers("i64", axes);
  return { ...node, inputs: [...node.inputs.slice(0, 1), input], attributes: without(node, "axes") };
};

/** The gradient of MaxPool may use its indices; an output nobody uses is cut off when the graph is built. */
const withIndices: Normalization = (node) => {
  const [output = ""] = node.outputs;
  return { ...node, outputs: [output, node.outputs[1] ?? `${output}/indices`] };
};

/** Dropout of a model exported for inference does nothing. */
const inferenceDropout: Normalization = (node, { builder }) => {
  const mode = node.inputs[2];
  if (mode !== undefined && mode !== "") {
    const constant = builder.constantOf(mode);
    if (constant === undefined || constant.data[0] !== 0) unsupported(node, "Dropout in training mode");
  }
  return { ...node, operator: "Identity", inputs: node.inputs.slice(0, 1), attributes: new Map() };
};

/** What is written differently in another operator set, or better differently for a gradient. */
const NORMALIZATIONS: ReadonlyMap<string, Normalization> = new Map([
  ["ReduceMean", axesToInput],
  ["ReduceMax", axesToInput],
  ["MaxPool", withIndices],
  ["Dropout", inferenceDropout],
]);

/** `node` as {@link TARGET_OPSET} writes it. */
export function normalize(node: Node, context: NormalizeContext): Node {
  return NORMALIZATIONS.get(node.operator)?.(node, context) ?? node;
}

function without(node: Node, name: string): Node["attributes"] {
  return new Map([...node.attributes].filter(([key]) => key !== name));
}
