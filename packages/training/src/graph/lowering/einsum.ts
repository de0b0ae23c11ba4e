import type { Algebra } from "../algebra.ts";
import type { GraphBuilder } from "../builder.ts";
import { attribute, badShape, unsupported } from "../typed-node.ts";
import type { Lowered, LoweringTable } from "./lowering.ts";

/** A value whose axes have names. */
interface Labelled {
  readonly value: string;
  readonly labels: readonly string[];
}

interface Sizes {
  readonly builder: GraphBuilder;
  readonly algebra: Algebra;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Labels of the equation's terms, an ellipsis written out as labels of its own. */
function parse(lowered: Lowered): { operands: Labelled[]; result: readonly string[] } {
  const { builder, node } = lowered;
  const equation = (attribute(lowered, "text", "equation") ?? "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  if (terms.length !== node.inputs.length || !/^[A-Za-z.,]*$/.test(left + (right ?? ""))) {
    badShape(node, `equation ${equation} for ${node.inputs.length} inputs`);
  }
  const spread = (term: string, rank: number): string[] => {
    if (!term.includes("...")) return [...term];
    const [before = "", behind = ""] = term.split("...");
    const count = rank - before.length - behind.length;
    // Counted from the right, as broadcasting does.
    const dots = Array.from({ length: Math.max(0, count) }, (_, index) => `.${count - 1 - index}`);
    return [...before, ...dots, ...behind];
  };
  const operands = terms.map((term, index) => {
    const value = node.inputs[index] ?? "";
    const labels = spread(term, builder.shape(value).length);
    if (labels.length !== builder.shape(value).length)
      badShape(node, `${term} for [${builder.shape(value)}]`);
    if (new Set(labels).size !== labels.length) unsupported(node, `the diagonal ${term}`);
    return { value, labels };
  });
  const all = operands.flatMap(({ labels }) => labels);
  const dots = [...new Set(all.filter((label) => label.startsWith(".")))].sort().reverse();
  if (right !== undefined)
    return { operands, result: spread(right, right.replace("...", "").length + dots.length) };
  const once = [...new Set(all)].filter((label) => all.filter((other) => other === label).length === 1);
  return { operands, result: [...dots, ...once.filter((label) => !label.startsWith(".")).sort()] };
}

function sizesOf({ builder, node }: Lowered, operands: readonly Labelled[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { value, labels } of operands) {
    builder.shape(value).forEach((size, axis) => {
      const label = labels[axis] ?? "";
      const known = sizes.get(label) ?? size;
      if (known !== size) badShape(node, `${label} is ${known} and ${size}`);
      sizes.set(label, size);
    });
  }
  return sizes;
}

/** Sums over the labels that nobody else wants. */
function sumOut({ algebra }: Sizes, { value, labels }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (wanted.has(label) ? [] : [axis]));
  return {
    value: algebra.reduce("ReduceSum", value, { axes, keep: false }),
    labels: labels.filter((label) => wanted.has(label)),
  };
}

function arrange({ algebra }: Sizes, { value, labels }: Labelled, order: readonly string[]): string {
  return algebra.transpose(
    value,
    order.map((label) => labels.indexOf(label)),
  );
}

/** Product of two: what both have and the rest wants is a batch, what both have and nobody wants is contracted. */
function contract(
  context: Sizes,
  [left, right]: readonly [Labelled, Labelled],
  wanted: ReadonlySet<string>,
): Labelled {
  const { algebra, sizes } = context;
  const a = sumOut(context, left, new Set([...wanted, ...right.labels]));
  const b = sumOut(context, right, new Set([...wanted, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => wanted.has(label));
  const inner = shared.filter((label) => !wanted.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const count = (labels: readonly string[]): number =>
    labels.reduce((product, label) => product * (sizes.get(label) ?? 1), 1);
  const leading = batch.length === 0 ? [] : [count(batch)];
  const one = algebra.reshape(arrange(context, a, [...batch, ...rows, ...inner]), [
    ...leading,
    count(rows),
    count(inner),
  ]);
  const other = algebra.reshape(arrange(context, b, [...batch, ...inner, ...columns]), [
    ...leading,
    count(inner),
    count(columns),
  ]);
  const labels = [...batch, ...rows, ...columns];
  const product = algebra.apply("MatMul", one, other);
  return {
    value: algebra.reshape(
      product,
      labels.map((label) => sizes.get(label) ?? 1),
    ),
    labels,
  };
}

/** Einstein's summation as products of matrices, from left to right. */
function einsum(lowered: Lowered): readonly string[] {
  const { operands, result } = parse(lowered);
  const sizes = sizesOf(lowered, operands);
  if (result.some((label) => !sizes.has(label))) badShape(lowered.node, "the result has a label of its own");
  const context: Sizes = { builder: lowered.builder, algebra: lowered.algebra, sizes };
  const [first, ...rest] = operands;
  if (first === undefined) badShape(lowered.node, "it has no inputs");
  const product = rest.reduce<Labelled>((whole, operand, index) => {
    const later = rest.slice(index + 1).flatMap(({ labels }) => labels);
    return contract(context, [whole, operand], new Set([...result, ...later]));
  }, first);
  return [arrange(context, sumOut(context, product, new Set(result)), result)];
}

/** Einstein's summation. */
export const EINSUM_LOWERINGS: LoweringTable = { Einsum: einsum };
