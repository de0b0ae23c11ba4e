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

function unary(compute?: Compute): Operator {
  const infer = (typed: TypedNode): readonly ValueType[] => [inputType(typed, 0)];
  return compute === undefined ? { infer } : { infer, fold: foldWith(compute) };
}

function binary(compute: Compute, result?: DType): Operator {
  return {
    infer: (typed) => {
      const [left, right] = [inputType(typed, 0), inputType(typed, 1)];
      if (left.dtype !== right.dtype) badShape(typed.node, `${left.dtype} meets ${right.dtype}`);
      return [{ dtype: result ?? left.dtype, shape: broadcast(typed.node, left.shape, right.shape) }];
    },
    fold: (typed, type) => {
      // Integer division truncates toward zero, as C does; the other results of integers are integers.
      const integer = type.dtype !== "f32" && type.dtype !== "f64";
      return foldWith(integer ? (...values) => Math.trunc(compute(...values)) : compute)(typed, type);
    },
  };
}

const where: Operator = {
  infer: (typed) => {
    const [condition, left, right] = [inputType(typed, 0), inputType(typed, 1), inputType(typed, 2)];
    if (condition.dtype !== "bool" || left.dtype !== right.dtype) badShape(typed.node, "types do not fit");
    const shape = broadcast(typed.node, broadcast(typed.node, condition.shape, left.shape), right.shape);
    return [{ dtype: left.dtype, shape }];
  },
  fold: foldWith((condition = 0, left = 0, right = 0) => (condition === 0 ? right : left)),
};

const truth = (value: boolean): number => (value ? 1 : 0);

/** Operators that work element by element. */
export const ELEMENTWISE: OperatorTable = {
  Add: binary((a = 0, b = 0) => a + b),
  Sub: binary((a = 0, b = 0) => a - b),
  Mul: binary((a = 0, b = 0) => a * b),
  Div: binary((a = 0, b = 0) => a / b),
  Equal: binary((a, b) => truth(a === b), "bool"),
  Greater: binary((a = 0, b = 0) => truth(a > b), "bool"),
  Less: binary((a = 0, b = 0) => truth(a < b), "bool"),
  Where: where,
  Neg: unary((a = 0) => -a),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((a = 0) => 1 / a),
  Exp: unary(),
  Log: unary(),
  Relu: unary(),
  LeakyRelu: unary(),
  Sigmoid: unary(),
  Tanh: unary(),
  Softmax: unary(),
  LogSoftmax: unary(),
};
