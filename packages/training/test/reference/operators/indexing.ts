import { attribute } from "../../../src/graph/index.ts";
import { coordinatesOf, countOf, indexOf, makeValue, type Value } from "../value.ts";
import { axisOf, type Evaluate } from "./evaluate.ts";

const scatterElements: Evaluate = ([data, indices, updates], typed) => {
  const axis = axisOf(typed, data!.shape.length);
  const adds = attribute(typed, "text", "reduction") === "add";
  const result = Float64Array.from(data!.data);
  updates!.data.forEach((update, index) => {
    const given = indices!.data[index]!;
    const at = given < 0 ? given + data!.shape[axis]! : given;
    const target = indexOf(coordinatesOf(index, updates!.shape).with(axis, at), data!.shape);
    result[target] = update + (adds ? result[target]! : 0);
  });
  return { shape: data!.shape, data: result };
};

const gatherElements: Evaluate = ([data, indices], typed, shape) => {
  const axis = axisOf(typed, data!.shape.length);
  return makeValue(shape, (index) => {
    const given = indices!.data[index]!;
    const at = given < 0 ? given + data!.shape[axis]! : given;
    return data!.data[indexOf(coordinatesOf(index, shape).with(axis, at), data!.shape)]!;
  });
};

const gather: Evaluate = ([data, indices], typed, shape) => {
  const axis = axisOf(typed, data!.shape.length);
  const rank = indices!.shape.length;
  return makeValue(shape, (index) => {
    const coordinates = coordinatesOf(index, shape);
    const given = indices!.data[indexOf(coordinates.slice(axis, axis + rank), indices!.shape)]!;
    const at = given < 0 ? given + data!.shape[axis]! : given;
    return data!.data[
      indexOf([...coordinates.slice(0, axis), at, ...coordinates.slice(axis + rank)], data!.shape)
    ]!;
  });
};

/** Calls `visit` with the flat index of each block that the rows of `indices` name, and the size of a block. */
function forBlocks(
  indices: Value,
  data: readonly number[],
  visit: (start: number, row: number, size: number) => void,
): void {
  const depth = indices.shape.at(-1)!;
  const size = countOf(data.slice(depth));
  for (let row = 0; row < countOf(indices.shape) / depth; row++) {
    const place = Array.from({ length: depth }, (_, axis) => {
      const given = indices.data[row * depth + axis]!;
      return given < 0 ? given + data[axis]! : given;
    });
    visit(indexOf(place, data.slice(0, depth)) * size, row, size);
  }
}

const scatterNd: Evaluate = ([data, indices, updates], typed) => {
  const adds = attribute(typed, "text", "reduction") === "add";
  const result = Float64Array.from(data!.data);
  forBlocks(indices!, data!.shape, (start, row, size) => {
    for (let k = 0; k < size; k++) {
      result[start + k] = updates!.data[row * size + k]! + (adds ? result[start + k]! : 0);
    }
  });
  return { shape: data!.shape, data: result };
};

const gatherNd: Evaluate = ([data, indices], _, shape) => {
  const result = makeValue(shape, () => 0);
  forBlocks(indices!, data!.shape, (start, row, size) => {
    for (let k = 0; k < size; k++) result.data[row * size + k] = data!.data[start + k]!;
  });
  return result;
};

/** Operators of this group by name. */
export const INDEXING: Readonly<Record<string, Evaluate>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
