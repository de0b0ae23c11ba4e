import { int } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";

const OPERATORS = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"];

const forms = (operator: string): GradientCase[] => {
  const common = { operator, positive: operator === "ReduceLogSum" };
  return [
    {
      ...common,
      form: "of the last axis, which vanishes",
      inputs: [[2, 3, 4]],
      constants: [[-1]],
      attributes: { keepdims: int(0) },
    },
    { ...common, form: "of two axes, which stay", inputs: [[2, 3, 4]], constants: [[0, 2]] },
    { ...common, form: "of everything", inputs: [[2, 3]], attributes: { keepdims: int(0) } },
  ];
};

export const REDUCTION_CASES: readonly GradientCase[] = [
  ...OPERATORS.flatMap((operator) => forms(`Reduce${operator}`)),
  { operator: "GlobalMaxPool", form: "", inputs: [[2, 3, 4, 5]] },
];
