import { attribute, type TypedNode } from "../../../src/graph/index.ts";
import { broadcastAt, coordinatesOf, makeValue, type Value } from "../value.ts";

/** Computes the first output of a node in float64, as slowly and plainly as the ONNX specification reads. */
export type Evaluate = (inputs: readonly Value[], typed: TypedNode, shape: readonly number[]) => Value;

/** An operator of each element. */
export const elementwise =
  (compute: (...values: number[]) => number): Evaluate =>
  (inputs, _, shape) =>
    makeValue(shape, (index) => {
      const coordinates = coordinatesOf(index, shape);
      return compute(...inputs.map((input) => broadcastAt(input, coordinates)));
    });

/** The same elements in another shape. */
export const view: Evaluate = ([input], _, shape) => ({ shape, data: input!.data });

/** The axis that a node names, counted from the front. */
export const axisOf = (typed: TypedNode, rank: number): number =>
  ((attribute(typed, "int", "axis") ?? 0) + rank) % rank;
