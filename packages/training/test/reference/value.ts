/** An array in float64, whatever its element type: truth values are 0 and 1. */
export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const countOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

export function makeValue(shape: readonly number[], at: (index: number) => number): Value {
  return { shape, data: Float64Array.from({ length: countOf(shape) }, (_, index) => at(index)) };
}

/** The coordinates of a flat index. */
export function coordinatesOf(index: number, shape: readonly number[]): number[] {
  const coordinates = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    coordinates[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return coordinates;
}

/** The flat index of coordinates, or -1 when they lie outside. */
export function indexOf(coordinates: readonly number[], shape: readonly number[]): number {
  let index = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const coordinate = coordinates[axis]!;
    if (coordinate < 0 || coordinate >= shape[axis]!) return -1;
    index = index * shape[axis]! + coordinate;
  }
  return index;
}

/** The element of `value` that broadcasting puts at `coordinates`. */
export function broadcastAt({ shape, data }: Value, coordinates: readonly number[]): number {
  const own = coordinates.slice(coordinates.length - shape.length);
  return data[
    indexOf(
      own.map((coordinate, axis) => (shape[axis] === 1 ? 0 : coordinate)),
      shape,
    )
  ]!;
}
