import {
  attribute,
  padOf,
  permutationOf,
  reducedAxes,
  sliceOf,
  splitOf,
  type TypedNode,
  transposedWindowOf,
  windowOf,
} from "../../src/graph/index.ts";
import { broadcastAt, coordinatesOf, countOf, indexOf, makeValue, type Value } from "./value.ts";

/** Computes the first output of a node in float64, as slowly and plainly as the ONNX specification reads. */
export type Evaluate = (inputs: readonly Value[], typed: TypedNode, shape: readonly number[]) => Value;

const elementwise =
  (compute: (...values: number[]) => number): Evaluate =>
  (inputs, _, shape) =>
    makeValue(shape, (index) => {
      const coordinates = coordinatesOf(index, shape);
      return compute(...inputs.map((input) => broadcastAt(input, coordinates)));
    });

const truth = (value: boolean): number => (value ? 1 : 0);

/** Its series (Abramowitz and Stegun 1964, 7.1.6): exact in float64 for arguments of normal size. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const view: Evaluate = ([input], _, shape) => ({ shape, data: input!.data });

const matMul: Evaluate = ([a, b], _, shape) => {
  const left = a!.shape.length === 1 ? { ...a!, shape: [1, ...a!.shape] } : a!;
  const right = b!.shape.length === 1 ? { ...b!, shape: [...b!.shape, 1] } : b!;
  const rank = Math.max(left.shape.length, right.shape.length);
  const inner = left.shape.at(-1)!;
  const full = [...shape];
  if (b!.shape.length === 1) full.push(1);
  if (a!.shape.length === 1) full.splice(full.length - 1, 0, 1);
  const product = makeValue(full, (index) => {
    const coordinates = coordinatesOf(index, full);
    const [row, column] = coordinates.slice(-2);
    const batch = coordinates.slice(0, rank - 2);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += broadcastAt(left, [...batch, row!, k]) * broadcastAt(right, [...batch, k, column!]);
    }
    return sum;
  });
  return { shape, data: product.data };
};

const gemm: Evaluate = ([a, b, c], typed, shape) => {
  const transA = attribute(typed, "int", "transA") === 1;
  const transB = attribute(typed, "int", "transB") === 1;
  const alpha = attribute(typed, "float", "alpha") ?? 1;
  const beta = attribute(typed, "float", "beta") ?? 1;
  const inner = a!.shape[transA ? 0 : 1]!;
  return makeValue(shape, (index) => {
    const [row, column] = coordinatesOf(index, shape);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = broadcastAt(a!, transA ? [k, row!] : [row!, k]);
      sum += left * broadcastAt(b!, transB ? [column!, k] : [k, column!]);
    }
    return alpha * sum + (c === undefined ? 0 : beta * broadcastAt(c, [row!, column!]));
  });
};

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

const axisOf = (typed: TypedNode, rank: number): number =>
  ((attribute(typed, "int", "axis") ?? 0) + rank) % rank;

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

export const EVALUATE: Readonly<Record<string, Evaluate>> = {
  Abs: elementwise(Math.abs),
  And: elementwise((a, b) => truth(a !== 0 && b !== 0)),
  Ceil: elementwise(Math.ceil),
  Clip: ([x, low, high], _, shape) =>
    makeValue(shape, (index) =>
      Math.min(Math.max(x!.data[index]!, low?.data[0] ?? -Infinity), high?.data[0] ?? Infinity),
    ),
  Cos: elementwise(Math.cos),
  CumSum: cumSum,
  Elu: ([x], typed, shape) => {
    const alpha = attribute(typed, "float", "alpha") ?? 1;
    return makeValue(shape, (index) => {
      const value = x!.data[index]!;
      return value > 0 ? value : alpha * Math.expm1(value);
    });
  },
  Erf: elementwise((a) => erf(a!)),
  Floor: elementwise(Math.floor),
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  GreaterOrEqual: elementwise((a, b) => truth(a! >= b!)),
  HardSigmoid: ([x], typed, shape) => {
    const alpha = attribute(typed, "float", "alpha") ?? 0.2;
    const beta = attribute(typed, "float", "beta") ?? 0.5;
    return makeValue(shape, (index) => Math.max(0, Math.min(1, alpha * x!.data[index]! + beta)));
  },
  Less: elementwise((a, b) => truth(a! < b!)),
  LessOrEqual: elementwise((a, b) => truth(a! <= b!)),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Pow: elementwise((a, b) => a! ** b!),
  ReduceL1: reduce(
    0,
    (sum, value) => sum + Math.abs(value),
    (sum) => sum,
  ),
  ReduceL2: reduce(0, (sum, value) => sum + value ** 2, Math.sqrt),
  ReduceLogSum: reduce(0, (sum, value) => sum + value, Math.log),
  ReduceLogSumExp: reduce(0, (sum, value) => sum + Math.exp(value), Math.log),
  ReduceMin: reduce(Infinity, Math.min, (sum) => sum),
  ReduceProd: reduce(
    1,
    (product, value) => product * value,
    (product) => product,
  ),
  ReduceSumSquare: reduce(
    0,
    (sum, value) => sum + value ** 2,
    (sum) => sum,
  ),
  Round: elementwise((a) => Math.round(a!)),
  ScatterND: scatterNd,
  Sin: elementwise(Math.sin),
  Softplus: elementwise((a) => Math.log1p(Math.exp(-Math.abs(a!))) + Math.max(a!, 0)),
  Where: elementwise((condition, a, b) => (condition === 0 ? b! : a!)),
  Add: elementwise((a, b) => a! + b!),
  ArgMax: argMax,
  AveragePool: averagePool,
  Cast: view,
  Concat: concat,
  Conv: conv,
  ConvTranspose: convTranspose,
  Div: elementwise((a, b) => a! / b!),
  Equal: elementwise((a, b) => truth(a === b)),
  Exp: elementwise(Math.exp),
  Expand: elementwise((a) => a!),
  Flatten: view,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  Greater: elementwise((a, b) => truth(a! > b!)),
  Identity: view,
  LeakyRelu: ([x], typed, shape) => {
    const slope = attribute(typed, "float", "alpha") ?? 0.01;
    return makeValue(shape, (index) => (x!.data[index]! > 0 ? 1 : slope) * x!.data[index]!);
  },
  Log: elementwise(Math.log),
  LogSoftmax: softmaxOf((value, logSum) => value - logSum),
  MatMul: matMul,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  Mul: elementwise((a, b) => a! * b!),
  Neg: elementwise((a) => -a!),
  Pad: pad,
  Reciprocal: elementwise((a) => 1 / a!),
  ReduceMax: reduce(-Infinity, Math.max, (sum) => sum),
  ReduceMean: reduce(
    0,
    (sum, value) => sum + value,
    (sum, count) => sum / count,
  ),
  ReduceSum: reduce(
    0,
    (sum, value) => sum + value,
    (sum) => sum,
  ),
  Relu: elementwise((a) => Math.max(0, a!)),
  Reshape: view,
  ScatterElements: scatterElements,
  Sigmoid: elementwise((a) => 1 / (1 + Math.exp(-a!))),
  Sign: elementwise(Math.sign),
  Slice: slice,
  Softmax: softmaxOf((value, logSum) => Math.exp(value - logSum)),
  Sqrt: elementwise(Math.sqrt),
  Squeeze: view,
  Sub: elementwise((a, b) => a! - b!),
  Tanh: elementwise(Math.tanh),
  Transpose: transpose,
  Unsqueeze: view,
};
