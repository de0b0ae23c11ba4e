import { padOf, permutationOf, sliceOf, splitOf, type TypedNode } from "../../../src/graph/index.ts";
import { coordinatesOf, indexOf, makeValue, type Value } from "../value.ts";
import { axisOf, type Evaluate, elementwise, view } from "./evaluate.ts";

const transpose: Evaluate = ([x], typed, shape) => {
  const order = permutationOf(typed);
  return makeValue(shape, (index) => {
    const source = new Array<number>(shape.length);
    coordinatesOf(index, shape).forEach((coordinate, axis) => {
      source[order[axis]!] = coordinate;
    });
    return x!.data[indexOf(source, x!.shape)]!;
  });
};

const slice: Evaluate = ([x], typed, shape) => {
  const { starts, steps } = sliceOf(typed);
  return makeValue(shape, (index) => {
    const source = coordinatesOf(index, shape).map((at, axis) => starts[axis]! + at * steps[axis]!);
    return x!.data[indexOf(source, x!.shape)]!;
  });
};

const pad: Evaluate = ([x, , value], typed, shape) => {
  const { begin } = padOf(typed);
  return makeValue(shape, (index) => {
    const source = coordinatesOf(index, shape).map((coordinate, axis) => coordinate - begin[axis]!);
    const at = indexOf(source, x!.shape);
    return at < 0 ? (value?.data[0] ?? 0) : x!.data[at]!;
  });
};

/** The outputs of a Split. */
export function splitParts(x: Value, typed: TypedNode): Value[] {
  const { axis, sizes } = splitOf(typed);
  let start = 0;
  return sizes.map((size) => {
    const begin = start;
    start += size;
    const shape = x.shape.toSpliced(axis, 1, size);
    return makeValue(shape, (index) => {
      const coordinates = coordinatesOf(index, shape);
      return x.data[indexOf(coordinates.with(axis, coordinates[axis]! + begin), x.shape)]!;
    });
  });
}

const concat: Evaluate = (inputs, typed, shape) => {
  const axis = axisOf(typed, shape.length);
  return makeValue(shape, (index) => {
    const source = coordinatesOf(index, shape);
    let part = 0;
    while (source[axis]! >= inputs[part]!.shape[axis]!) {
      source[axis]! -= inputs[part]!.shape[axis]!;
      part++;
    }
    return inputs[part]!.data[indexOf(source, inputs[part]!.shape)]!;
  });
};

/** Operators of this group by name. */
export const VIEW: Readonly<Record<string, Evaluate>> = {
  Concat: concat,
  Expand: elementwise((a) => a!),
  Flatten: view,
  Pad: pad,
  Reshape: view,
  Slice: slice,
  Squeeze: view,
  Transpose: transpose,
  Unsqueeze: view,
};
