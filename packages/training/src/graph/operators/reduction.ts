import { elementCount } from "@photinus/core/tensor";
import { numbersOf, tensorOf } from "../numbers.ts";
import type { Operator, OperatorTable } from "../operator.ts";
import {
  attribute,
  constantInput,
  constantList,
  inputType,
  normalAxis,
  type TypedNode,
} from "../typed-node.ts";

/** The axes that a Reduce operator removes, counted from the front, in ascending order. */
export function reducedAxes(typed: TypedNode): readonly number[] {
  const rank = inputType(typed, 0).shape.length;
  const given = typed.node.inputs[1] ? constantList(typed, 1) : (attribute(typed, "ints", "axes") ?? []);
  if (given.length > 0) return given.map((axis) => normalAxis(typed.node, axis, rank)).sort((a, b) => a - b);
  const nothing = attribute(typed, "int", "noop_with_empty_axes") === 1;
  return nothing ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

function keepsDimensions(typed: TypedNode): boolean {
  return (attribute(typed, "int", "keepdims") ?? 1) === 1;
}

function reducedShape(typed: TypedNode, axes: readonly number[]): number[] {
  const { shape } = inputType(typed, 0);
  if (keepsDimensions(typed)) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.includes(axis));
}

function reduce(combine?: (values: readonly number[]) => number): Operator {
  const infer: Operator["infer"] = (typed) => [
    { dtype: inputType(typed, 0).dtype, shape: reducedShape(typed, reducedAxes(typed)) },
  ];
  if (combine === undefined) return { infer };
  // Shape code reduces lists of sizes to one number.
  const fold: Operator["fold"] = (typed, { dtype, shape }) => {
    const values = numbersOf(constantInput(typed, 0));
    if (elementCount(shape) !== 1 || values.length === 0) return undefined;
    return tensorOf(dtype, shape, [combine(values)]);
  };
  return { infer, fold };
}

const argMax: Operator = {
  infer: (typed) => {
    const rank = inputType(typed, 0).shape.length;
    const axis = normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, rank);
    return [{ dtype: "i64", shape: reducedShape(typed, [axis]) }];
  },
};

/** Operators that remove dimensions. */
export const REDUCTION: OperatorTable = {
  ReduceSum: reduce((values) => values.reduce((sum, value) => sum + value, 0)),
  ReduceMean: reduce(),
  ReduceMax: reduce((values) => Math.max(...values)),
  ReduceMin: reduce((values) => Math.min(...values)),
  ReduceProd: reduce((values) => values.reduce((product, value) => product * value, 1)),
  ReduceL1: reduce(),
  ReduceL2: reduce(),
  ReduceSumSquare: reduce(),
  ReduceLogSum: reduce(),
  ReduceLogSumExp: reduce(),
  ArgMax: argMax,
  ArgMin: argMax,
};
