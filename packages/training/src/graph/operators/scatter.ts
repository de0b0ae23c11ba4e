import type { Operator, OperatorTable } from "../operator.ts";
import { attribute, badShape, inputType, normalAxis } from "../typed-node.ts";

const likeFirst: Operator = { infer: (typed) => [inputType(typed, 0)] };

/** Picks along one axis, with indices of the shape of the result. */
const gatherElements: Operator = {
  infer: (typed) => {
    const [data, indices] = [inputType(typed, 0), inputType(typed, 1)];
    normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, data.shape.length);
    if (data.shape.length !== indices.shape.length) badShape(typed.node, "indices of another rank");
    return [{ dtype: data.dtype, shape: indices.shape }];
  },
};

/** The last dimension of the indices holds coordinates. */
const gatherNd: Operator = {
  infer: (typed) => {
    const [data, indices] = [inputType(typed, 0), inputType(typed, 1)];
    const batch = attribute(typed, "int", "batch_dims") ?? 0;
    const depth = indices.shape.at(-1) ?? 0;
    if (depth < 1 || batch + depth > data.shape.length) badShape(typed.node, `indices [${indices.shape}]`);
    return [
      { dtype: data.dtype, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(batch + depth)] },
    ];
  },
};

/** Operators that pick single elements, or write them into a copy of their first input. */
export const SCATTER: OperatorTable = {
  CumSum: likeFirst,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: likeFirst,
  ScatterND: likeFirst,
};
