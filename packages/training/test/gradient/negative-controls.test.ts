import { describe, expect, test } from "vitest";
import { GRADIENTS, type GradientRule, ofOneOutput, type Profile } from "../../src/gradient/index.ts";
import { int } from "../../src/onnx/index.ts";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { gradientError } from "../reference/check-gradient.ts";

type Mutate = (rule: GradientRule) => GradientRule;

/** The gradient by one input times 1.05: a wrong constant. */
const scaled =
  (input: number): Mutate =>
  (rule) =>
  (backward) => {
    const { builder } = backward;
    return rule(backward).map((gradient, index) =>
      gradient === undefined || index !== input
        ? gradient
        : builder.add("Mul", [gradient, builder.numbers("f32", 1.05)]),
    );
  };

/** The gradient of the output as it is: a forgotten factor or mask. */
const passedThrough: Mutate = () => ofOneOutput((_, gradient) => [gradient]);

/** Softmax without the sum: y · dy. */
const withoutSum: Mutate = () =>
  ofOneOutput(({ builder, typed }, gradient) => [builder.add("Mul", [typed.node.outputs[0]!, gradient])]);

/** dX of a MaxPool for another kernel position: the tie shares lost, the maximum counted everywhere. */
const spreadOut: Mutate = () =>
  ofOneOutput(({ builder, typed }, gradient) => {
    const x = typed.node.inputs[0]!;
    const mean = builder.add("ReduceMean", [gradient], { attributes: { keepdims: int(1) } });
    return [builder.add("Add", [builder.add("Mul", [x, builder.numbers("f32", 0)]), mean])];
  });

const MUTANTS: readonly (readonly [operator: string, what: string, mutate: Mutate])[] = [
  ["Relu", "without its mask", passedThrough],
  ["Tanh", "without its factor", passedThrough],
  ["Sigmoid", "without its factor", passedThrough],
  ["LeakyRelu", "without its mask", passedThrough],
  ["Softmax", "without the sum", withoutSum],
  ["LogSoftmax", "without the sum", passedThrough],
  ["Gemm", "with dA too large", scaled(0)],
  ["Gemm", "with dB too large", scaled(1)],
  ["Gemm", "with dC too large", scaled(2)],
  ["MatMul", "with dB too large", scaled(1)],
  ["Conv", "with dX too large", scaled(0)],
  ["Conv", "with dW too large", scaled(1)],
  ["Conv", "with dB too large", scaled(2)],
  ["MaxPool", "with the gradient everywhere", spreadOut],
  ["AveragePool", "with the gradient everywhere", spreadOut],
  ["Div", "with db too large", scaled(1)],
  ["ReduceMean", "too large", scaled(0)],
];

const PROFILES: readonly Profile[] = ["cpu", "webgpu"];

describe.each(PROFILES)("finite differences for %s", (profile) => {
  test.each(MUTANTS)("catch %s %s", (operator, _, mutate) => {
    const rule = GRADIENTS.get(operator)!;
    const rules = new Map([...GRADIENTS, [operator, mutate(rule)] as const]);

    const errors = GRADIENT_CASES.filter((sample) => sample.operator === operator).map((sample) =>
      gradientError(sample, { profile, rules }),
    );

    expect(Math.max(...errors)).toBeGreaterThan(1e-2);
  });
});
