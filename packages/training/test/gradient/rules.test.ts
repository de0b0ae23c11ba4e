import { expect, test } from "vitest";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { gradientError } from "../reference/check-gradient.ts";

const GROUPS = [
  "Pow",
  "MatMul",
  "Conv",
  "ConvTranspose",
  "MaxPool",
  "ReduceProd",
  "Softmax",
  "Split",
  "Gather",
  "LayerNormalization",
  "LSTM",
  "Resize",
  "Einsum",
  "Attention",
];

test.each(GROUPS)("the gradient of %s agrees with central differences", (operator) => {
  const samples = GRADIENT_CASES.filter((sample) => sample.operator === operator).slice(0, 2);

  for (const sample of samples) expect(gradientError(sample, { profile: "cpu" })).toBeLessThan(1e-6);
});
