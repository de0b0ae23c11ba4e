import type { Attribute } from "../../onnx/index.ts";
import type { Algebra } from "../algebra.ts";
import type { GraphBuilder } from "../builder.ts";
import { attribute, type TypedNode, unsupported } from "../typed-node.ts";

/** What training asks of a model that evaluation does not, and where lowered operators leave what they need besides. */
export interface LoweringContext {
  /** Operator set of the file. */
  readonly opset: number;
  /** In evaluation, Dropout does nothing and BatchNormalization uses its running statistics. */
  readonly mode: "training" | "evaluation";
  /** True for a value that training changes: running statistics among them are to follow the data. */
  readonly isTrained: (value: string) => boolean;
  /** Notes the value that running statistics have after the step. */
  readonly updateStatistic: (statistic: string, updated: string) => void;
  /** Declares an input that is fed a fresh mask every step: 0 with probability `ratio`, else 1 / (1 - ratio). */
  readonly mask: (shape: readonly number[], ratio: number) => string;
}

/** A node to be written in other operators. */
export interface Lowered extends TypedNode {
  /** Takes the nodes. */
  readonly builder: GraphBuilder;
  /** Writes formulas into it. */
  readonly algebra: Algebra;
  /** How the model is imported. */
  readonly context: LoweringContext;
}

/** Writes a node in operators that have gradients. @returns names of its outputs; "" for one that nobody can want */
export type Lowering = (lowered: Lowered) => readonly string[];

/** Lowerings by operator. */
export type LoweringTable = Readonly<Record<string, Lowering>>;

/** Name of input `index`; undefined when it is left out. */
export function operandOf({ node }: TypedNode, index: number): string | undefined {
  const name = node.inputs[index];
  return name === "" ? undefined : name;
}

/** Name of input `index`, which must be there. */
export function requiredOperand(typed: TypedNode, index: number): string {
  return operandOf(typed, index) ?? unsupported(typed.node, `input ${index} is left out`);
}

/** A float attribute. */
export function floatOf(typed: TypedNode, name: string, fallback: number): number {
  return attribute(typed, "float", name) ?? fallback;
}

/** An integer attribute. */
export function intOf(typed: TypedNode, name: string, fallback: number): number {
  return attribute(typed, "int", name) ?? fallback;
}

/** The node with another operator, other inputs or attributes, and its own name and outputs. */
export function insteadOf(
  { node, builder }: Lowered,
  changes: {
    readonly operator?: string;
    readonly inputs?: readonly string[];
    readonly attributes?: ReadonlyMap<string, Attribute>;
  },
): readonly string[] {
  return builder.addNode({ ...node, ...changes });
}
