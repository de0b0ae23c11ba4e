import { attribute, reducedAxes } from "../../../src/graph/index.ts";
import { broadcastAt, coordinatesOf, indexOf, makeValue } from "../value.ts";
import type { Evaluate } from "./evaluate.ts";

const cumSum: Evaluate = ([x, axes], typed, shape) => {
  const axis = (axes!.data[0]! + shape.length) % shape.length;
  const exclusive = attribute(typed, "int", "exclusive") === 1;
  const reverse = attribute(typed, "int", "reverse") === 1;
  return makeValue(shape, (index) => {
    const coordinates = coordinatesOf(index, shape);
    const own = coordinates[axis]!;
    let sum = 0;
    for (let k = 0; k < shape[axis]!; k++) {
      const before = reverse ? k > own : k < own;
      if (before || (k === own && !exclusive)) sum += x!.data[indexOf(coordinates.with(axis, k), shape)]!;
    }
    return sum;
  });
};

const reduce =
  (
    start: number,
    combine: (sum: number, value: number) => number,
    finish: (sum: number, count: number) => number,
  ): Evaluate =>
  ([x], typed, shape) => {
    const axes = reducedAxes(typed);
    const sums = makeValue(shape, () => start);
    const counts = new Float64Array(sums.data.length);
    const kept = x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    x!.data.forEach((value, index) => {
      const at = indexOf(
        coordinatesOf(index, x!.shape).map((c, axis) => (axes.includes(axis) ? 0 : c)),
        kept,
      );
      sums.data[at] = combine(sums.data[at]!, value);
      counts[at]!++;
    });
    return makeValue(shape, (index) => finish(sums.data[index]!, counts[index]!));
  };

const softmaxOf =
  (finish: (value: number, logSum: number) => number): Evaluate =>
  ([x], typed, shape) => {
    const axis = ((attribute(typed, "int", "axis") ?? -1) + shape.length) % shape.length;
    const sums = new Map<string, number>();
    const keyOf = (index: number): string =>
      coordinatesOf(index, shape)
        .map((c, at) => (at === axis ? 0 : c))
        .join();
    x!.data.forEach((value, index) => {
      sums.set(keyOf(index), (sums.get(keyOf(index)) ?? 0) + Math.exp(value));
    });
    return makeValue(shape, (index) => finish(x!.data[index]!, Math.log(sums.get(keyOf(index))!)));
  };

const argMax: Evaluate = ([x], typed, shape) => {
  const axis = attribute(typed, "int", "axis") ?? 0;
  const keepsDimension = (attribute(typed, "int", "keepdims") ?? 1) === 1;
  return makeValue(shape, (index) => {
    const row = coordinatesOf(index, shape);
    const values = Array.from({ length: x!.shape[axis]! }, (_, k) =>
      broadcastAt(x!, row.toSpliced(axis, keepsDimension ? 1 : 0, k)),
    );
    return values.indexOf(Math.max(...values));
  });
};

/** Operators of this group by name. */
export const REDUCTION: Readonly<Record<string, Evaluate>> = {
  ArgMax: argMax,
  CumSum: cumSum,
  LogSoftmax: softmaxOf((value, logSum) => value - logSum),
  ReduceL1: reduce(
    0,
    (sum, value) => sum + Math.abs(value),
    (sum) => sum,
  ),
  ReduceL2: reduce(0, (sum, value) => sum + value ** 2, Math.sqrt),
  ReduceLogSum: reduce(0, (sum, value) => sum + value, Math.log),
  ReduceLogSumExp: reduce(0, (sum, value) => sum + Math.exp(value), Math.log),
  ReduceMax: reduce(-Infinity, Math.max, (sum) => sum),
  ReduceMean: reduce(
    0,
    (sum, value) => sum + value,
    (sum, count) => sum / count,
  ),
  ReduceMin: reduce(Infinity, Math.min, (sum) => sum),
  ReduceProd: reduce(
    1,
    (product, value) => product * value,
    (product) => product,
  ),
  ReduceSum: reduce(
    0,
    (sum, value) => sum + value,
    (sum) => sum,
  ),
  ReduceSumSquare: reduce(
    0,
    (sum, value) => sum + value ** 2,
    (sum) => sum,
  ),
  Softmax: softmaxOf((value, logSum) => Math.exp(value - logSum)),
};
