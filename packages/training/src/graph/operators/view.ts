import { TrainingError } from "@photinus/core/errors";
import { elementCount, Tensor } from "@photinus/core/tensor";
import { dtypeOf } from "../../onnx/data-type.ts";
import { hasNumbers, numbersOf, tensorOf } from "../numbers.ts";
import type { Operator, OperatorTable } from "../operator.ts";
import { indexOf, pickElements } from "../pick.ts";
import {
  attribute,
  badShape,
  broadcast,
  constantInput,
  constantList,
  describe,
  inputType,
  normalAxis,
  type TypedNode,
  type ValueType,
} from "../typed-node.ts";

const sameMemory: NonNullable<Operator["fold"]> = ({ constants: [constant] }, { dtype, shape }) =>
  constant === undefined ? undefined : new Tensor(dtype, shape, constant.data);

function view(shapeOf: (typed: TypedNode, shape: readonly number[]) => readonly number[]): Operator {
  const infer = (typed: TypedNode): readonly ValueType[] => {
    const { dtype, shape } = inputType(typed, 0);
    const result = shapeOf(typed, shape);
    if (result.some((size) => !Number.isSafeInteger(size) || size < 0))
      badShape(typed.node, `to [${result}]`);
    if (elementCount(result) !== elementCount(shape)) badShape(typed.node, `[${shape}] to [${result}]`);
    return [{ dtype, shape: result }];
  };
  return { infer, fold: sameMemory };
}

const reshape = view((typed, shape) => {
  const wanted = constantList(typed, 1);
  const keepsZero = attribute(typed, "int", "allowzero") === 1;
  const sizes = wanted.map((size, axis) => (size === 0 && !keepsZero ? (shape[axis] ?? 0) : size));
  const rest = sizes.indexOf(-1);
  if (rest < 0) return sizes;
  const others = sizes.reduce((product, size, axis) => (axis === rest ? product : product * size), 1);
  return sizes.map((size, axis) => (axis === rest ? elementCount(shape) / others : size));
});

const flatten = view((typed, shape) => {
  const given = attribute(typed, "int", "axis") ?? 1;
  const axis = given === shape.length ? given : normalAxis(typed.node, given, shape.length);
  return [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))];
});

const unsqueeze = view((typed, shape) => {
  const given = constantList(typed, 1);
  const rank = shape.length + given.length;
  const axes = new Set(given.map((axis) => normalAxis(typed.node, axis, rank)));
  if (axes.size !== given.length) badShape(typed.node, `axes [${given}]`);
  const rest = [...shape];
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? 1)));
});

const squeeze = view((typed, shape) => {
  const given = typed.node.inputs[1] === undefined ? undefined : constantList(typed, 1);
  if (given === undefined) return shape.filter((size) => size !== 1);
  const axes = new Set(given.map((axis) => normalAxis(typed.node, axis, shape.length)));
  return shape.filter((_, axis) => !axes.has(axis));
});

const transpose: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const order = permutationOf(typed);
    return [{ dtype, shape: order.map((axis) => shape[axis] ?? 0) }];
  },
  fold: (typed, type) => {
    const order = permutationOf(typed);
    return pickElements(constantInput(typed, 0), type, (at) =>
      order.map((_, axis) => at[order.indexOf(axis)] ?? 0),
    );
  },
};

/** The order of axes of a Transpose. @throws TrainingError `ERR_MODEL_SHAPE` when it is no permutation */
export function permutationOf(typed: TypedNode): readonly number[] {
  const rank = inputType(typed, 0).shape.length;
  const order =
    attribute(typed, "ints", "perm") ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (
    order.length !== rank ||
    new Set(order).size !== rank ||
    order.some((axis) => axis < 0 || axis >= rank)
  ) {
    badShape(typed.node, `perm [${order}] of rank ${rank}`);
  }
  return order;
}

const shapeOperator: Operator = {
  infer: (typed) => [{ dtype: "i64", shape: [shapeSlice(typed).length] }],
};

/** What a Shape operator yields: shapes are static, so its value is known although its input is not. */
export function shapeSlice(typed: TypedNode): readonly number[] {
  const { shape } = inputType(typed, 0);
  return shape.slice(attribute(typed, "int", "start") ?? 0, attribute(typed, "int", "end") ?? shape.length);
}

const cast: Operator = {
  infer: (typed) => {
    const to = attribute(typed, "int", "to") ?? 0;
    return [{ dtype: dtypeOf(to, describe(typed.node)), shape: inputType(typed, 0).shape }];
  },
  fold: ({ constants: [constant] }, { dtype, shape }) => {
    if (constant === undefined || !hasNumbers(dtype) || !hasNumbers(constant.dtype)) return undefined;
    const integer = dtype !== "f32" && dtype !== "f64" && dtype !== "bool";
    const values = numbersOf(constant).map((value) => (integer ? Math.trunc(value) : value));
    return values.every(Number.isFinite) ? tensorOf(dtype, shape, values) : undefined;
  },
};

const gather: Operator = {
  infer: (typed) => {
    const [data, indices] = [inputType(typed, 0), inputType(typed, 1)];
    const axis = normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, data.shape.length);
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
    return [{ dtype: data.dtype, shape }];
  },
  fold: (typed, type) => {
    const data = constantInput(typed, 0);
    const indices = constantInput(typed, 1);
    const axis = normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, data.shape.length);
    const size = data.shape[axis] ?? 0;
    const chosen = numbersOf(indices).map((index) => (index < 0 ? index + size : index));
    if (chosen.some((index) => index < 0 || index >= size)) badShape(typed.node, "an index lies outside");
    const rank = indices.shape.length;
    return pickElements(data, type, (at) => {
      const index = indexOf(at.slice(axis, axis + rank), indices.shape);
      return [...at.slice(0, axis), chosen[index] ?? 0, ...at.slice(axis + rank)];
    });
  },
};

const concat: Operator = {
  infer: (typed) => {
    const first = inputType(typed, 0);
    const given = attribute(typed, "int", "axis");
    if (given === undefined)
      throw new TrainingError("ERR_MODEL_MALFORMED", `${describe(typed.node)} has no axis`);
    const axis = normalAxis(typed.node, given, first.shape.length);
    for (const type of typed.inputs) {
      const fits = first.shape.every((size, index) => index === axis || type?.shape[index] === size);
      if (type?.shape.length !== first.shape.length || !fits) badShape(typed.node, "its inputs do not fit");
    }
    const total = typed.inputs.reduce((sum, type) => sum + (type?.shape[axis] ?? 0), 0);
    return [{ dtype: first.dtype, shape: first.shape.map((size, index) => (index === axis ? total : size)) }];
  },
  fold: (typed, { dtype, shape }) => {
    if (shape.length !== 1 || !hasNumbers(dtype)) return undefined;
    const parts = typed.constants.map((constant) => (constant === undefined ? [] : numbersOf(constant)));
    return tensorOf(dtype, shape, parts.flat());
  },
};

const expand: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const wanted = constantList(typed, 1);
    return [{ dtype, shape: broadcast(typed.node, shape, wanted) }];
  },
  fold: (typed, type) => {
    const data = constantInput(typed, 0);
    const skip = type.shape.length - data.shape.length;
    return pickElements(data, type, (at) =>
      data.shape.map((size, axis) => (size === 1 ? 0 : (at[axis + skip] ?? 0))),
    );
  },
};

/** Where a Slice begins and how it goes on, for each axis of its input. */
export interface SliceGeometry {
  /** First element of each axis. */
  readonly starts: readonly number[];
  /** Steps, negative ones backwards. */
  readonly steps: readonly number[];
  /** Sizes of the result. */
  readonly shape: readonly number[];
}

/** Reads the lists of a Slice. @throws TrainingError `ERR_MODEL_SHAPE` when one is not constant, or a step is 0 */
export function sliceOf(typed: TypedNode): SliceGeometry {
  const { shape } = inputType(typed, 0);
  const [from, to] = [constantList(typed, 1), constantList(typed, 2)];
  const axes = typed.node.inputs[3] ? constantList(typed, 3) : from.map((_, axis) => axis);
  const by = typed.node.inputs[4] ? constantList(typed, 4) : from.map(() => 1);
  const starts = shape.map(() => 0);
  const steps = shape.map(() => 1);
  const sizes = [...shape];
  axes.forEach((given, index) => {
    const axis = normalAxis(typed.node, given, shape.length);
    const size = shape[axis] ?? 0;
    const step = by[index] ?? 1;
    if (step === 0) badShape(typed.node, "a step is 0");
    // Backwards, the element before the first is a legal end.
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (edge: number): number => Math.min(Math.max(edge < 0 ? edge + size : edge, least), most);
    const start = clamp(from[index] ?? 0);
    const length = Math.max(0, Math.ceil((clamp(to[index] ?? size) - start) / step));
    starts[axis] = length === 0 ? 0 : start;
    steps[axis] = step;
    sizes[axis] = length;
  });
  return { starts, steps, shape: sizes };
}

const slice: Operator = {
  infer: (typed) => [{ dtype: inputType(typed, 0).dtype, shape: sliceOf(typed).shape }],
  fold: (typed, type) => {
    const { starts, steps } = sliceOf(typed);
    return pickElements(constantInput(typed, 0), type, (at) =>
      at.map((coordinate, axis) => (starts[axis] ?? 0) + coordinate * (steps[axis] ?? 1)),
    );
  },
};

/** Counts that a Pad adds before and behind each axis; negative ones take away. */
export interface PadGeometry {
  /** Before each axis. */
  readonly begin: readonly number[];
  /** Behind each axis. */
  readonly end: readonly number[];
}

/** Reads the counts of a Pad. @throws TrainingError `ERR_MODEL_SHAPE` when they are not constant or do not fit */
export function padOf(typed: TypedNode): PadGeometry {
  const rank = inputType(typed, 0).shape.length;
  const pads = constantList(typed, 1);
  const every = Array.from({ length: rank }, (_, axis) => axis);
  const axes = typed.node.inputs[3] ? constantList(typed, 3) : every;
  if (pads.length !== 2 * axes.length) badShape(typed.node, `pads [${pads}]`);
  const begin = every.map(() => 0);
  const end = every.map(() => 0);
  axes.forEach((given, index) => {
    const axis = normalAxis(typed.node, given, rank);
    begin[axis] = pads[index] ?? 0;
    end[axis] = pads[index + axes.length] ?? 0;
  });
  return { begin, end };
}

/** A constant around the input; the other modes are made of Gather. */
const pad: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const { begin, end } = padOf(typed);
    const padded = shape.map((size, axis) => size + (begin[axis] ?? 0) + (end[axis] ?? 0));
    if (padded.some((size) => size < 0)) badShape(typed.node, `pads [${begin}] and [${end}] of [${shape}]`);
    return [{ dtype, shape: padded }];
  },
};

/** Sizes of the parts of a Split. @throws TrainingError `ERR_MODEL_SHAPE` when they do not fit */
export function splitOf(typed: TypedNode): { readonly axis: number; readonly sizes: readonly number[] } {
  const { shape } = inputType(typed, 0);
  const axis = normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, shape.length);
  const size = shape[axis] ?? 0;
  const count = attribute(typed, "int", "num_outputs") ?? typed.node.outputs.length;
  const each = Math.ceil(size / count);
  const equal = Array.from({ length: count }, (_, index) => Math.min(each, size - index * each));
  const sizes = typed.node.inputs[1] ? constantList(typed, 1, count) : equal;
  const total = sizes.reduce((sum, part) => sum + part, 0);
  if (total !== size || sizes.some((part) => part < 0)) badShape(typed.node, `[${sizes}] of ${size}`);
  return { axis, sizes };
}

const split: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const { axis, sizes } = splitOf(typed);
    return sizes.map((size) => ({ dtype, shape: shape.toSpliced(axis, 1, size) }));
  },
};

const sizeOperator: Operator = { infer: () => [{ dtype: "i64", shape: [] }] };

/** The given tensor of one element, repeated; zeros without it. */
const constantOfShape: Operator = {
  infer: (typed) => [{ dtype: fillOf(typed).dtype, shape: constantList(typed, 0) }],
  fold: (typed, { dtype, shape }) => {
    if (!hasNumbers(dtype)) return undefined;
    const [value = 0] = numbersOf(fillOf(typed));
    return tensorOf(dtype, shape, new Array<number>(elementCount(shape)).fill(value));
  },
};

function fillOf(typed: TypedNode): Tensor {
  const fill = attribute(typed, "tensor", "value") ?? tensorOf("f32", [1], [0]);
  if (elementCount(fill.shape) !== 1) badShape(typed.node, "its value must be one number");
  return fill;
}

/** start, start + delta, ... below limit. */
const range: Operator = {
  infer: (typed) => {
    const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map(
      (index) => numbersOf(constantInput(typed, index))[0] ?? 0,
    );
    if (delta === 0) badShape(typed.node, "its delta is 0");
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    return [{ dtype: inputType(typed, 0).dtype, shape: [count] }];
  },
  fold: (typed, { dtype, shape }) => {
    const [start = 0] = numbersOf(constantInput(typed, 0));
    const [delta = 1] = numbersOf(constantInput(typed, 2));
    return tensorOf(
      dtype,
      shape,
      Array.from({ length: elementCount(shape) }, (_, index) => start + index * delta),
    );
  },
};

const constant: Operator = {
  infer: (typed) => {
    const { dtype, shape } = constantValue(typed);
    return [{ dtype, shape }];
  },
  fold: (typed) => constantValue(typed),
};

function constantValue(typed: TypedNode): Tensor {
  const tensor = attribute(typed, "tensor", "value");
  if (tensor !== undefined) return tensor;
  const oneInt = attribute(typed, "int", "value_int");
  if (oneInt !== undefined) return tensorOf("i64", [], [oneInt]);
  const oneFloat = attribute(typed, "float", "value_float");
  if (oneFloat !== undefined) return tensorOf("f32", [], [oneFloat]);
  const manyInts = attribute(typed, "ints", "value_ints");
  if (manyInts !== undefined) return tensorOf("i64", [manyInts.length], manyInts);
  const manyFloats = attribute(typed, "floats", "value_floats");
  if (manyFloats !== undefined) return tensorOf("f32", [manyFloats.length], manyFloats);
  return badShape(typed.node, "it holds no number");
}

/** Operators that rearrange elements, and those of the shape arithmetic that exporters write. */
export const VIEW: OperatorTable = {
  Cast: cast,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Identity: view((_, shape) => shape),
  Pad: pad,
  Range: range,
  Reshape: reshape,
  Shape: shapeOperator,
  Size: sizeOperator,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
