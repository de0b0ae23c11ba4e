import { attribute, type TypedNode, transposedWindowOf, windowOf } from "../../../src/graph/index.ts";
import { coordinatesOf, countOf, indexOf, makeValue, type Value } from "../value.ts";
import type { Evaluate } from "./evaluate.ts";

/** Calls `visit` for each tap of the window at `place` that lies inside the input. */
function forTaps(
  typed: TypedNode,
  place: readonly number[],
  visit: (tap: number[], source: number[]) => void,
  kernel?: readonly number[],
): void {
  const window = windowOf(typed, kernel);
  for (let index = 0; index < countOf(window.kernel); index++) {
    const tap = coordinatesOf(index, window.kernel);
    const source = place.map(
      (position, axis) =>
        position * window.strides[axis]! + tap[axis]! * window.dilations[axis]! - window.padsBegin[axis]!,
    );
    if (indexOf(source, window.input) >= 0) visit(tap, source);
  }
}

const conv: Evaluate = ([x, w, b], typed, shape) => {
  const group = attribute(typed, "int", "group") ?? 1;
  const perGroup = w!.shape[1]!;
  const mapsPerGroup = w!.shape[0]! / group;
  return makeValue(shape, (index) => {
    const [example, map, ...place] = coordinatesOf(index, shape);
    let sum = b === undefined ? 0 : b.data[map!]!;
    const first = Math.floor(map! / mapsPerGroup) * perGroup;
    forTaps(
      typed,
      place,
      (tap, source) => {
        for (let c = 0; c < perGroup; c++) {
          const pixel = x!.data[indexOf([example!, first + c, ...source], x!.shape)]!;
          sum += pixel * w!.data[indexOf([map!, c, ...tap], w!.shape)]!;
        }
      },
      w!.shape.slice(2),
    );
    return sum;
  });
};

const convTranspose: Evaluate = ([x, w, b], typed, shape) => {
  const group = attribute(typed, "int", "group") ?? 1;
  const { strides, dilations, padsBegin: pads } = transposedWindowOf(typed);
  const kernel = w!.shape.slice(2);
  const [maps, perGroup] = [w!.shape[0]!, w!.shape[1]!];
  const result = makeValue(shape, (index) =>
    b === undefined ? 0 : b.data[coordinatesOf(index, shape)[1]!]!,
  );
  x!.data.forEach((value, index) => {
    const [example, map, ...place] = coordinatesOf(index, x!.shape);
    const first = Math.floor(map! / (maps / group)) * perGroup;
    for (let t = 0; t < countOf(kernel); t++) {
      const tap = coordinatesOf(t, kernel);
      const target = place.map(
        (position, axis) => position * strides[axis]! + tap[axis]! * dilations[axis]! - pads[axis]!,
      );
      for (let c = 0; c < perGroup; c++) {
        const at = indexOf([example!, first + c, ...target], shape);
        if (at >= 0) result.data[at]! += value * w!.data[indexOf([map!, c, ...tap], w!.shape)]!;
      }
    }
  });
  return result;
};

/** For each window, the flat index of its first greatest element. */
export function maxPoolIndices(x: Value, typed: TypedNode, shape: readonly number[]): Value {
  return makeValue(shape, (index) => {
    const [example, channel, ...place] = coordinatesOf(index, shape);
    let best = -1;
    forTaps(typed, place, (_, source) => {
      const at = indexOf([example!, channel!, ...source], x.shape);
      if (best < 0 || x.data[at]! > x.data[best]!) best = at;
    });
    return best;
  });
}

const maxPool: Evaluate = ([x], typed, shape) => {
  const indices = maxPoolIndices(x!, typed, shape);
  return makeValue(shape, (index) => x!.data[indices.data[index]!]!);
};

const averagePool: Evaluate = ([x], typed, shape) => {
  const countAll = attribute(typed, "int", "count_include_pad") === 1;
  const taps = countOf(windowOf(typed).kernel);
  return makeValue(shape, (index) => {
    const [example, channel, ...place] = coordinatesOf(index, shape);
    let [sum, count] = [0, 0];
    forTaps(typed, place, (_, source) => {
      sum += x!.data[indexOf([example!, channel!, ...source], x!.shape)]!;
      count++;
    });
    return sum / (countAll ? taps : count);
  });
};

const globalAveragePool: Evaluate = ([x], _, shape) => {
  const size = countOf(x!.shape.slice(2));
  return makeValue(
    shape,
    (index) => x!.data.slice(index * size, (index + 1) * size).reduce((a, b) => a + b, 0) / size,
  );
};

const maxUnpool: Evaluate = ([values, indices], _, shape) => {
  const result = makeValue(shape, () => 0);
  values!.data.forEach((value, index) => {
    result.data[indices!.data[index]!] = value;
  });
  return result;
};

/** Operators of this group by name. */
export const WINDOW: Readonly<Record<string, Evaluate>> = {
  AveragePool: averagePool,
  Conv: conv,
  ConvTranspose: convTranspose,
  GlobalAveragePool: globalAveragePool,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
};
