import { elementCount, type Tensor } from "@photinus/core/tensor";
import { hasNumbers, numbersOf, tensorOf } from "./numbers.ts";
import type { ValueType } from "./typed-node.ts";

/** Coordinates of the element of a row-major array at a flat index. */
export function coordinatesOf(index: number, shape: readonly number[]): number[] {
  const coordinates = new Array<number>(shape.length).fill(0);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    coordinates[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return coordinates;
}

/** The flat index of coordinates that lie inside. */
export function indexOf(coordinates: readonly number[], shape: readonly number[]): number {
  return coordinates.reduce((index, coordinate, axis) => index * (shape[axis] ?? 1) + coordinate, 0);
}

/** A constant whose elements are those of `from` at the coordinates that `sourceOf` gives. */
export function pickElements(
  from: Tensor,
  { dtype, shape }: ValueType,
  sourceOf: (coordinates: readonly number[]) => readonly number[],
): Tensor | undefined {
  if (!hasNumbers(dtype)) return undefined;
  const values = numbersOf(from);
  const picked = Array.from(
    { length: elementCount(shape) },
    (_, index) => values[indexOf(sourceOf(coordinatesOf(index, shape)), from.shape)] ?? Number.NaN,
  );
  return tensorOf(dtype, shape, picked);
}
