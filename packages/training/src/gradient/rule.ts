import { Algebra, type GraphBuilder, type TypedNode } from "../graph/index.ts";
import type { Profile } from "./profile.ts";

/** What a gradient rule is asked. */
export interface Backward {
  /** Where the rule adds its nodes. */
  readonly builder: GraphBuilder;
  /** The node to go back through. */
  readonly typed: TypedNode;
  /** Gradients of the loss by the node's outputs; undefined where the loss does not depend on one. */
  readonly gradients: readonly (string | undefined)[];
  /** For each input, whether its gradient is wanted. */
  readonly wants: readonly boolean[];
  /** Where the graph will run. */
  readonly profile: Profile;
}

/** Gradients of the loss by the inputs; undefined where not wanted, or where the input has none (indices, shapes). */
export type GradientRule = (backward: Backward) => readonly (string | undefined)[];

/** Rules by operator. */
export type GradientTable = Readonly<Record<string, GradientRule>>;

/** Writes formulas where the rule adds its nodes. */
export function algebraOf({ builder }: Backward): Algebra {
  return new Algebra(builder);
}

/** Name of input `index`. */
export function inputOf({ typed }: Backward, index: number): string {
  return typed.node.inputs[index] ?? "";
}

/** Name of output `index`. */
export function outputOf({ typed }: Backward, index: number): string {
  return typed.node.outputs[index] ?? "";
}

/** A rule of an operator with one output, told the gradient of that output. */
export function ofOneOutput(
  rule: (backward: Backward, gradient: string) => readonly (string | undefined)[],
): GradientRule {
  return (backward) => {
    const [gradient] = backward.gradients;
    return gradient === undefined ? [] : rule(backward, gradient);
  };
}
