import type { Node } from "../onnx/index.ts";
import type { GraphBuilder } from "./builder.ts";
import { attribute } from "./typed-node.ts";

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

/** Until opset 18 the axes of most reductions were an attribute. */
const axesToInput: Normalization = (node, { opset, builder }) => {
  const axes = attribute({ node }, "ints", "axes");
  if (opset >= 18 || axes === undefined) return node;
  const input = builder.numbers("i64", axes);
  return { ...node, inputs: [...node.inputs.slice(0, 1), input], attributes: without(node, "axes") };
};

/** Since opset 19 a Cast says what to do with numbers that do not fit 8-bit floats, which are not supported anyway. */
const plainCast: Normalization = (node) => ({ ...node, attributes: without(node, "saturate") });

/** What is written differently in another operator set. */
const NORMALIZATIONS: ReadonlyMap<string, Normalization> = new Map([
  ...["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"].map(
    (reduction) => [`Reduce${reduction}`, axesToInput] as const,
  ),
  ["Cast", plainCast],
  ["CastLike", plainCast],
]);

/** `node` as {@link TARGET_OPSET} writes it. */
export function normalize(node: Node, context: NormalizeContext): Node {
  return NORMALIZATIONS.get(node.operator)?.(node, context) ?? node;
}

function without(node: Node, name: string): Node["attributes"] {
  return new Map([...node.attributes].filter(([key]) => key !== name));
}
