import { TrainingError } from "@photinus/core/errors";
import { elementCount, Tensor } from "@photinus/core/tensor";
import { dtypeOf } from "../../onnx/data-type.ts";
import { hasNumbers, numbersOf, tensorOf } from "../numbers.ts";
import type { Operator, OperatorTable } from "../operator.ts";
import {
  attribute,
  badShape,
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
  fold: (typed, { dtype, shape }) => {
    const data = constantInput(typed, 0);
    if (data.shape.length !== 1 || !hasNumbers(dtype)) return undefined; // shape arithmetic works on lists
    const values = numbersOf(data);
    const picked = numbersOf(constantInput(typed, 1)).map((index) => values.at(index));
    if (picked.some((value) => value === undefined)) badShape(typed.node, "an index lies outside");
    return tensorOf(dtype, shape, picked as number[]); // undefined was refused above
  },
};

const concat: Operator = {
  infer: (typed) => {
    const first = inputType(typed, 0);
    const given = attribute(typed, "int", "axis");
    if (given === undefined)
      throw new TrainingError("ERR_MODEL_MALFORMED", `${describe(typed.node)} has no axis`);
    const axis = normalAxis(typed.node, given, first.shape.length);
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
    const rank = Math.max(shape.length, wanted.length);
    const result = Array.from({ length: rank }, (_, axis) =>
      Math.max(shape[axis - rank + shape.length] ?? 1, wanted[axis - rank + wanted.length] ?? 1),
    );
    return [{ dtype, shape: result }];
  },
};

/** Lists of starts, ends, axes and steps of a Slice with steps of 1, clamped to the input. */
const slice: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const [starts, ends] = [constantList(typed, 1), constantList(typed, 2)];
    const axes = typed.node.inputs[3] ? constantList(typed, 3) : starts.map((_, axis) => axis);
    const steps = typed.node.inputs[4] ? constantList(typed, 4) : [];
    if (steps.some((step) => step !== 1)) badShape(typed.node, `steps [${steps}]`);
    const result = [...shape];
    axes.forEach((given, index) => {
      const axis = normalAxis(typed.node, given, shape.length);
      const size = shape[axis] ?? 0;
      const clamp = (edge: number): number => Math.min(Math.max(edge < 0 ? edge + size : edge, 0), size);
      result[axis] = Math.max(0, clamp(ends[index] ?? size) - clamp(starts[index] ?? 0));
    });
    return [{ dtype, shape: result }];
  },
  fold: (typed, { dtype, shape }) => {
    if (shape.length !== 1 || !hasNumbers(dtype)) return undefined;
    const [start] = constantList(typed, 1);
    const values = numbersOf(constantInput(typed, 0));
    const from = (start ?? 0) < 0 ? Math.max(0, values.length + (start ?? 0)) : (start ?? 0);
    return tensorOf(dtype, shape, values.slice(from, from + (shape[0] ?? 0)));
  },
};

/** Zeros around the input; only constant mode, as gradients use it. */
const pad: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    const pads = constantList(typed, 1);
    if ((attribute(typed, "text", "mode") ?? "constant") !== "constant" || pads.length !== 2 * shape.length) {
      badShape(typed.node, `pads [${pads}]`);
    }
    return [
      {
        dtype,
        shape: shape.map((size, axis) => size + (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0)),
      },
    ];
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
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Identity: view((_, shape) => shape),
  Pad: pad,
  Reshape: reshape,
  Shape: shapeOperator,
  Slice: slice,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
