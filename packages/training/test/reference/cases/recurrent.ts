import { int, text } from "../../../src/onnx/index.ts";
import type { GradientCase } from "../check-gradient.ts";

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
const [STEPS, BATCH, INPUTS, HIDDEN] = [3, 2, 3, 2];

interface Form {
  readonly form: string;
  readonly way?: "forward" | "reverse" | "bidirectional";
  readonly bias?: boolean;
  readonly initial?: boolean;
  readonly outputs?: number;
  readonly attributes?: GradientCase["attributes"];
}

const recurrent = (operator: keyof typeof GATES, { form, way = "forward", ...more }: Form): GradientCase => {
  const directions = way === "bidirectional" ? 2 : 1;
  const rows = GATES[operator] * HIDDEN;
  const inputs = [
    [STEPS, BATCH, INPUTS],
    [directions, rows, INPUTS],
    [directions, rows, HIDDEN],
  ];
  const places = ["x0", "x1", "x2"];
  const place = (shape: number[]): string => `x${inputs.push(shape) - 1}`;
  if (more.bias) places.push(place([directions, 2 * rows]));
  if (more.initial) {
    places.splice(3, 2, places[3] ?? "", "");
    places.push(place([directions, BATCH, HIDDEN]));
    if (operator === "LSTM") places.push(place([directions, BATCH, HIDDEN]));
  }
  return {
    ...{ operator, form, inputs, places, outputs: more.outputs ?? 1 },
    attributes: { hidden_size: int(HIDDEN), direction: text(way), ...more.attributes },
  };
};

const kinds = ["RNN", "GRU", "LSTM"] as const;

/** Peepholes stand behind everything else. */
const peepholes: GradientCase = {
  ...recurrent("LSTM", { form: "with peepholes", bias: true, initial: true }),
  inputs: [...recurrent("LSTM", { form: "", bias: true, initial: true }).inputs, [1, 3 * HIDDEN]],
  places: ["x0", "x1", "x2", "x3", "", "x4", "x5", "x6"],
};

export const RECURRENT_CASES: readonly GradientCase[] = [
  ...kinds.flatMap((operator) => [
    recurrent(operator, { form: "forward" }),
    recurrent(operator, { form: "in both directions", way: "bidirectional", bias: true, initial: true }),
    recurrent(operator, { form: "in reverse, its last state", way: "reverse", bias: true, outputs: 2 }),
  ]),
  recurrent("LSTM", { form: "its last cell", bias: true, outputs: 3 }),
  recurrent("GRU", {
    form: "with the reset gate behind the product",
    bias: true,
    attributes: { linear_before_reset: int(1) },
  }),
  recurrent("RNN", {
    form: "with Relu",
    bias: true,
    attributes: { activations: { kind: "texts", value: ["Relu"] } },
  }),
  peepholes,
];
