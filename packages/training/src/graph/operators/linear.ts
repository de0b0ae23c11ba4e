import type { Operator, OperatorTable } from "../operator.ts";
import { attribute, badShape, broadcast, inputType } from "../typed-node.ts";

/** The dimensions of a Gemm: Y[rows, columns] = A[rows, inner] · B[inner, columns], operands as they are used. */
const gemm: Operator = {
  infer: (typed) => {
    const { node } = typed;
    const [a, b] = [inputType(typed, 0), inputType(typed, 1)];
    const [a0, a1, ...aRest] = a.shape;
    const [b0, b1, ...bRest] = b.shape;
    if (a0 === undefined || a1 === undefined || b0 === undefined || b1 === undefined) {
      badShape(node, "operands must be matrices");
    }
    if (aRest.length + bRest.length > 0) badShape(node, "operands must be matrices");
    const [rows, inner] = attribute(typed, "int", "transA") ? [a1, a0] : [a0, a1];
    const [otherInner, columns] = attribute(typed, "int", "transB") ? [b1, b0] : [b0, b1];
    if (inner !== otherInner) badShape(node, `[${a.shape}] times [${b.shape}]`);
    const shape = [rows, columns];
    const c = typed.inputs[2];
    if (c !== undefined && broadcast(node, shape, c.shape).some((size, axis) => size !== shape[axis])) {
      badShape(node, `[${c.shape}] does not broadcast to [${shape}]`);
    }
    return [{ dtype: a.dtype, shape }];
  },
};

/** As numpy.matmul: a vector operand gets a dimension that the result loses, leading dimensions broadcast. */
const matMul: Operator = {
  infer: (typed) => {
    const [a, b] = [inputType(typed, 0), inputType(typed, 1)];
    if (a.shape.length === 0 || b.shape.length === 0) badShape(typed.node, "operands must not be scalars");
    const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    if (left.at(-1) !== right.at(-2)) badShape(typed.node, `[${a.shape}] times [${b.shape}]`);
    const batch = broadcast(typed.node, left.slice(0, -2), right.slice(0, -2));
    const rows = a.shape.length === 1 ? [] : left.slice(-2, -1);
    const columns = b.shape.length === 1 ? [] : right.slice(-1);
    return [{ dtype: a.dtype, shape: [...batch, ...rows, ...columns] }];
  },
};

/** Products of matrices. */
export const LINEAR: OperatorTable = { Gemm: gemm, MatMul: matMul };
