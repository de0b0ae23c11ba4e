import { isFloatDType } from "@photinus/core/tensor";
import { type GraphBuilder, type TypedNode, unsupported } from "../graph/index.ts";
import type { Profile } from "./profile.ts";
import type { GradientRule } from "./rule.ts";
import { GRADIENTS } from "./table.ts";

/** What to differentiate. */
export interface BackwardOptions {
  /** The value that the gradient starts from, usually the logits. */
  readonly output: string;
  /** Gradient of the loss by that value, of its shape. */
  readonly gradient: string;
  /** Values whose gradients are wanted. */
  readonly parameters: readonly string[];
  /** Where the graph will run. */
  readonly profile: Profile;
  /** Rules by operator; tests pass mutated ones. Default: the table. */
  readonly rules?: ReadonlyMap<string, GradientRule>;
}

/**
 * Reverse-mode differentiation (Linnainmaa 1970): adds, for each node that the output owes to a parameter, in
 * reverse order, the nodes of its gradient rule.
 *
 * @returns gradients by parameter; a parameter that the output does not depend on is absent
 * @throws TrainingError `ERR_MODEL_OPERATOR` naming operator and node when a rule is missing
 */
export function buildBackward(builder: GraphBuilder, options: BackwardOptions): ReadonlyMap<string, string> {
  const forward = [...builder.nodes]; // rules add nodes behind these
  const dependent = dependentOn(builder, forward, options.parameters);
  const gradients = new Map<string, string>([[options.output, options.gradient]]);
  for (const typed of forward.reverse()) {
    const { node } = typed;
    const known = node.outputs.map((output) => gradients.get(output));
    if (known.every((gradient) => gradient === undefined)) continue;
    const wants = node.inputs.map((input) => dependent.has(input));
    if (!wants.includes(true)) continue;
    const rule = ruleOf(typed, options.rules ?? GRADIENTS);
    const results = rule({ builder, typed, gradients: known, wants, profile: options.profile });
    node.inputs.forEach((input, index) => {
      const gradient = results[index];
      if (wants[index] && gradient !== undefined) accumulate(builder, gradients, { input, gradient });
    });
  }
  return new Map(
    options.parameters.flatMap((parameter) => {
      const gradient = gradients.get(parameter);
      return gradient === undefined ? [] : [[parameter, gradient] as const];
    }),
  );
}

/** Values that owe something to a parameter and could carry a gradient: indices and truth values never do. */
function dependentOn(
  builder: GraphBuilder,
  nodes: readonly TypedNode[],
  parameters: readonly string[],
): ReadonlySet<string> {
  const dependent = new Set(parameters);
  for (const { node } of nodes) {
    if (!node.inputs.some((input) => dependent.has(input))) continue;
    for (const output of node.outputs) {
      if (output !== "" && isFloatDType(builder.type(output).dtype)) dependent.add(output);
    }
  }
  return dependent;
}

function ruleOf(typed: TypedNode, rules: ReadonlyMap<string, GradientRule>): GradientRule {
  return rules.get(typed.node.operator) ?? unsupported(typed.node, "no gradient is known for it");
}

/** A value used by several nodes owes its gradient to all of them. */
function accumulate(
  builder: GraphBuilder,
  gradients: Map<string, string>,
  { input, gradient }: { input: string; gradient: string },
): void {
  const others = gradients.get(input);
  gradients.set(input, others === undefined ? gradient : builder.add("Add", [others, gradient]));
}
