import type { Operator, OperatorTable } from "../operator.ts";
import { attribute, badShape, constantList, inputType, unsupported } from "../typed-node.ts";
import { windowOf } from "../window.ts";

const maxPool: Operator = {
  infer: (typed) => {
    const x = inputType(typed, 0);
    if (attribute(typed, "int", "storage_order") === 1) unsupported(typed.node, "storage_order 1");
    const shape = [...x.shape.slice(0, 2), ...windowOf(typed).output];
    return [
      { dtype: x.dtype, shape },
      { dtype: "i64", shape },
    ];
  },
};

const averagePool: Operator = {
  infer: (typed) => {
    const x = inputType(typed, 0);
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...windowOf(typed).output] }];
  },
};

const globalAveragePool: Operator = {
  infer: (typed) => {
    const { dtype, shape } = inputType(typed, 0);
    if (shape.length < 3) badShape(typed.node, "the input has no spatial dimension");
    return [{ dtype, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) }];
  },
};

/** The inverse of MaxPool with Indices; only with its output shape given, as gradients use it. */
const maxUnpool: Operator = {
  infer: (typed) => [{ dtype: inputType(typed, 0).dtype, shape: constantList(typed, 2) }],
};

/** Pooling. */
export const POOLING: OperatorTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  MaxUnpool: maxUnpool,
};
