import type { DType, Tensor } from "@photinus/core/tensor";
import { elementCount } from "@photinus/core/tensor";
import { hasNumbers, numbersOf, tensorOf } from "../numbers.ts";
import type { Operator, OperatorTable } from "../operator.ts";
import { badShape, broadcast, inputType, type TypedNode, type ValueType } from "../typed-node.ts";

type Compute = (...values: number[]) => number;

/** Reads a broadcast operand: the element of `shape` that belongs to element `index` of `full`. */
function elementAt(index: number, full: readonly number[], shape: readonly number[]): number {
  let rest = index;
  let offset = 0;
  let stride = 1;
  for (let axis = full.length - 1; axis >= 0; axis--) {
    const size = full[axis] ?? 1;
    const own = shape[axis - full.length + shape.length] ?? 1;
    offset += own === 1 ? 0 : (rest % size) * stride;
    stride *= own;
    rest = Math.floor(rest / size);
  }
  return offset;
}

function foldWith(compute: Compute): NonNullable<Operator["fold"]> {
  return ({ constants }: TypedNode, { dtype, shape }: ValueType): Tensor | undefined => {
    const operands = constants.filter((constant) => constant !== undefined);
    if (!hasNumbers(dtype) || operands.some((operand) => !hasNumbers(operand.dtype))) return undefined;
    const numbers = operands.map((operand) => ({ shape: operand.shape, values: numbersOf(operand) }));
    const results = Array.from({ length: elementCount(shape) }, (_, index) =>
      compute(...numbers.map((operand) => operand.values[elementAt(index, shape, operand.shape)] ?? 0)),
    );
    return tensorOf(dtype, shape, results);
  };
}

function unary(compute?: Compute, result?: DType): Operator {
  const infer = (typed: TypedNode): readonly ValueType[] => {
    const { dtype, shape } = inputType(typed, 0);
    return [{ dtype: result ?? dtype, shape }];
  };
  return compute === undefined ? { infer } : { infer, fold: foldWith(compute) };
}

/** Integer division truncates toward zero, as C does; the other results of integers are integers. */
function foldByType(compute: Compute): NonNullable<Operator["fold"]> {
  return (typed, type) => {
    const integer = type.dtype !== "f32" && type.dtype !== "f64";
    return foldWith(integer ? (...values) => Math.trunc(compute(...values)) : compute)(typed, type);
  };
}

function binary(compute: Compute, result?: DType): Operator {
  return {
    infer: (typed) => {
      const [left, right] = [inputType(typed, 0), inputType(typed, 1)];
      if (left.dtype !== right.dtype) badShape(typed.node, `${left.dtype} meets ${right.dtype}`);
      return [{ dtype: result ?? left.dtype, shape: broadcast(typed.node, left.shape, right.shape) }];
    },
    fold: foldByType(compute),
  };
}

/** Any number of operands of one type. */
function variadic(compute: Compute): Operator {
  return {
    infer: (typed) => {
      const { dtype, shape: first } = inputType(typed, 0);
      const shape = typed.node.inputs.reduce<readonly number[]>((whole, _, index) => {
        const operand = inputType(typed, index);
        if (operand.dtype !== dtype) badShape(typed.node, `${dtype} meets ${operand.dtype}`);
        return broadcast(typed.node, whole, operand.shape);
      }, first);
      return [{ dtype, shape }];
    },
    fold: foldByType(compute),
  };
}

/** The exponent may be of another type than the base, whose type the result has. */
const pow: Operator = {
  infer: (typed) => {
    const [base, exponent] = [inputType(typed, 0), inputType(typed, 1)];
    return [{ dtype: base.dtype, shape: broadcast(typed.node, base.shape, exponent.shape) }];
  },
  fold: foldByType((base = 0, exponent = 0) => base ** exponent),
};

const where: Operator = {
  infer: (typed) => {
    const [condition, left, right] = [inputType(typed, 0), inputType(typed, 1), inputType(typed, 2)];
    if (condition.dtype !== "bool" || left.dtype !== right.dtype) badShape(typed.node, "types do not fit");
    const shape = broadcast(typed.node, broadcast(typed.node, condition.shape, left.shape), right.shape);
    return [{ dtype: left.dtype, shape }];
  },
  fold: foldWith((condition = 0, left = 0, right = 0) => (condition === 0 ? right : left)),
};

/** Both bounds are scalars and may be left out. */
const clip: Operator = {
  infer: (typed) => {
    for (const bound of typed.inputs.slice(1)) {
      if (bound !== undefined && elementCount(bound.shape) !== 1)
        badShape(typed.node, "bounds must be scalars");
    }
    return [inputType(typed, 0)];
  },
  fold: ({ constants: [x, low, high] }, { dtype, shape }) => {
    if (x === undefined || !hasNumbers(dtype)) return undefined;
    const [least = -Infinity] = low === undefined ? [] : numbersOf(low);
    const [most = Infinity] = high === undefined ? [] : numbersOf(high);
    return tensorOf(
      dtype,
      shape,
      numbersOf(x).map((value) => Math.min(Math.max(value, least), most)),
    );
  },
};

const truth = (value: boolean): number => (value ? 1 : 0);

/** Rounds halves to even, as IEEE 754 does. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Operators that work element by element. */
export const ELEMENTWISE: OperatorTable = {
  Add: binary((a = 0, b = 0) => a + b),
  Sub: binary((a = 0, b = 0) => a - b),
  Mul: binary((a = 0, b = 0) => a * b),
  Div: binary((a = 0, b = 0) => a / b),
  Mod: binary((a = 0, b = 0) => a - Math.floor(a / b) * b),
  Min: variadic((...values) => Math.min(...values)),
  Max: variadic((...values) => Math.max(...values)),
  Pow: pow,
  Equal: binary((a, b) => truth(a === b), "bool"),
  Greater: binary((a = 0, b = 0) => truth(a > b), "bool"),
  GreaterOrEqual: binary((a = 0, b = 0) => truth(a >= b), "bool"),
  Less: binary((a = 0, b = 0) => truth(a < b), "bool"),
  LessOrEqual: binary((a = 0, b = 0) => truth(a <= b), "bool"),
  And: binary((a, b) => truth(a !== 0 && b !== 0), "bool"),
  Or: binary((a, b) => truth(a !== 0 || b !== 0), "bool"),
  Xor: binary((a, b) => truth(a !== b), "bool"),
  Not: unary((a) => truth(a === 0)),
  IsNaN: unary((a) => truth(Number.isNaN(a)), "bool"),
  IsInf: unary((a) => truth(a === Infinity || a === -Infinity), "bool"),
  Where: where,
  Clip: clip,
  Neg: unary((a = 0) => -a),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary((a = 0) => roundToEven(a)),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((a = 0) => 1 / a),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Erf: unary(),
  Relu: unary(),
  LeakyRelu: unary(),
  Elu: unary(),
  HardSigmoid: unary(),
  Softplus: unary(),
  Sigmoid: unary(),
  Tanh: unary(),
  Softmax: unary(),
  LogSoftmax: unary(),
};
