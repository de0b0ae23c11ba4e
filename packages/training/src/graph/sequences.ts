import { int, type Node } from "../onnx/index.ts";
import { addForward } from "./add-forward.ts";
import { Algebra } from "./algebra.ts";
import type { GraphBuilder } from "./builder.ts";
import type { LoweringContext } from "./lowering/index.ts";
import { numbersOf } from "./numbers.ts";
import { attribute, badShape, normalAxis } from "./typed-node.ts";

/** Names of the elements in the graph, by names of sequences in the file. */
export type Sequences = Map<string, readonly string[]>;

interface SequenceContext {
  readonly builder: GraphBuilder;
  readonly sequences: Sequences;
  /** Names in the graph by names in the file. */
  readonly names: Map<string, string>;
  /** The name in the graph of a name in the file. */
  readonly look: (name: string) => string;
  readonly context: LoweringContext;
}

type SequenceOperator = (node: Node, context: SequenceContext) => void;

/** What PyTorch's unoptimized exports make of `chunk` and `split`. */
const splitToSequence: SequenceOperator = (node, { builder, sequences, look, context }) => {
  const [input = "", sizes = ""] = node.inputs;
  const value = look(input);
  const { shape } = builder.type(value);
  const axis = normalAxis(node, attribute({ node }, "int", "axis") ?? 0, shape.length);
  const size = shape[axis] ?? 0;
  const given =
    sizes === ""
      ? [1]
      : numbersOf(builder.constantOf(look(sizes)) ?? badShape(node, "its sizes must be constant"));
  const isOne = sizes === "" || builder.shape(look(sizes)).length === 0;
  const each = given[0] ?? 1;
  if (!(each >= 1) || size / each > 4096) badShape(node, `parts of ${each}`);
  const count = Math.ceil(size / each);
  const parts = isOne
    ? Array.from({ length: count }, (_, index) => Math.min(each, size - index * each))
    : given;
  const elements = addForward(
    builder,
    {
      ...node,
      operator: "Split",
      inputs: [value, builder.numbers("i64", parts)],
      outputs: parts.map((_, index) => `${node.outputs[0] ?? "part"}/${index}`),
      attributes: new Map([["axis", int(axis)]]),
    },
    context,
  );
  const keeps = sizes !== "" || (attribute({ node }, "int", "keepdims") ?? 1) === 1;
  const algebra = new Algebra(builder);
  const squeezed = keeps ? elements : elements.map((element) => algebra.pick(element, axis, 0));
  sequences.set(node.outputs[0] ?? "", squeezed);
};

const sequenceConstruct: SequenceOperator = (node, { sequences, look }) => {
  sequences.set(node.outputs[0] ?? "", node.inputs.map(look));
};

const sequenceAt: SequenceOperator = (node, { builder, sequences, names, look }) => {
  const elements = sequences.get(node.inputs[0] ?? "") ?? badShape(node, "its sequence is not known");
  const position = builder.constantOf(look(node.inputs[1] ?? ""));
  const index =
    position === undefined ? badShape(node, "its position must be constant") : (numbersOf(position)[0] ?? 0);
  names.set(
    node.outputs[0] ?? "",
    elements.at(index) ?? badShape(node, `position ${index} of ${elements.length}`),
  );
};

const concatFromSequence: SequenceOperator = (node, { builder, sequences, names }) => {
  const elements = sequences.get(node.inputs[0] ?? "") ?? badShape(node, "its sequence is not known");
  const axis = attribute({ node }, "int", "axis") ?? 0;
  const algebra = new Algebra(builder);
  const stacked = (attribute({ node }, "int", "new_axis") ?? 0) === 1;
  const parts = stacked
    ? elements.map((element) => {
        const { shape } = builder.type(element);
        return algebra.reshape(element, shape.toSpliced(normalAxis(node, axis, shape.length + 1), 0, 1));
      })
    : elements;
  names.set(node.outputs[0] ?? "", algebra.concat(parts, axis));
};

const OPERATORS: ReadonlyMap<string, SequenceOperator> = new Map([
  ["SplitToSequence", splitToSequence],
  ["SequenceConstruct", sequenceConstruct],
  ["SequenceAt", sequenceAt],
  ["ConcatFromSequence", concatFromSequence],
]);

/** The names of the operators that `addToSequences` takes. */
export const SEQUENCE_OPERATORS: ReadonlySet<string> = new Set(OPERATORS.keys());

/** Takes nodes that make sequences or pick from them: their elements are known, so that no sequence is left. @returns false for other nodes */
export function addToSequences(node: Node, context: SequenceContext): boolean {
  const operator = OPERATORS.get(node.operator);
  operator?.(node, context);
  return operator !== undefined;
}
