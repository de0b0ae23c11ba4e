// Runs in Node only: mutants of float64 arithmetic that is the same in every runtime.
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

/** Split as if nobody else had used its other parts. */
const firstPartOnly: Mutate = (rule) => (backward) =>
  rule({
    ...backward,
    gradients: backward.gradients.map((gradient, index) => (index === 0 ? gradient : undefined)),
  });

/** Scattered without adding up what meets. */
const overwritten: Mutate = (rule) => (backward) => {
  const { builder } = backward;
  const [gradient] = rule(backward);
  const node = builder.nodes.findLast((typed) => typed.node.operator === "ScatterND")?.node;
  if (node === undefined) return [gradient];
  const [zeros, indices, updates] = node.inputs;
  const written = builder.add("ScatterND", [zeros!, indices!, updates!]);
  return [builder.add("Reshape", [written, builder.numbers("i64", builder.shape(gradient!))])];
};

/** CumSum of the gradient from the same end. */
const sameDirection: Mutate = () =>
  ofOneOutput(({ builder, typed }, gradient) => [
    builder.add("CumSum", [gradient, typed.node.inputs[1]!], {
      attributes: Object.fromEntries(typed.node.attributes),
    }),
  ]);

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
  ["Pow", "with the base too large", scaled(0)],
  ["Where", "with its second operand too large", scaled(2)],
  ["Max", "without its mask", passedThrough],
  ["Clip", "without its mask", passedThrough],
  ["Erf", "without its factor", passedThrough],
  ["Softplus", "without its factor", passedThrough],
  ["ConvTranspose", "with dX too large", scaled(0)],
  ["ConvTranspose", "with dW too large", scaled(1)],
  ["Concat", "with its second part too large", scaled(1)],
  ["Split", "without its other parts", firstPartOnly],
  ["Slice", "too large", scaled(0)],
  ["Pad", "too large", scaled(0)],
  ["ReduceMax", "too large", scaled(0)],
  ["ReduceProd", "too large", scaled(0)],
  ["ReduceL2", "too large", scaled(0)],
  ["Gather", "where the last of equal indices wins", overwritten],
  ["GatherND", "where the last of equal indices wins", overwritten],
  ["ScatterND", "with its updates too large", scaled(2)],
  ["ScatterElements", "with its data too large", scaled(0)],
  ["CumSum", "in the wrong direction", sameDirection],
];

/** Operators that are written in others: the mutants are those of a rule they rest on. */
const BENEATH: readonly (readonly [operator: string, rule: string, mutate: Mutate])[] = [
  ["LayerNormalization", "ReduceMean", scaled(0)],
  ["BatchNormalization", "Reciprocal", passedThrough],
  ["GroupNormalization", "ReduceMean", scaled(0)],
  ["LSTM", "Sigmoid", passedThrough],
  ["GRU", "Tanh", passedThrough],
  ["RNN", "Gemm", scaled(0)],
  ["Resize", "MatMul", scaled(1)],
  ["Einsum", "MatMul", scaled(0)],
  ["Attention", "Softmax", withoutSum],
  ["Gelu", "Erf", passedThrough],
];

const PROFILES: readonly Profile[] = ["cpu", "webgpu"];

function worst(operator: string, mutated: readonly [string, Mutate], profile: Profile): number {
  const [name, mutate] = mutated;
  const rules = new Map([...GRADIENTS, [name, mutate(GRADIENTS.get(name)!)] as const]);
  const samples = GRADIENT_CASES.filter((sample) => sample.operator === operator);
  return Math.max(...samples.map((sample) => gradientError(sample, { profile, rules })));
}

test.each(BENEATH)("finite differences of %s catch a mutant of %s", (operator, rule, mutate) => {
  expect(worst(operator, [rule, mutate], "cpu")).toBeGreaterThan(1e-2);
});

describe.each(PROFILES)("finite differences for %s", (profile) => {
  test.each(MUTANTS)("catch %s %s", (operator, _, mutate) => {
    expect(worst(operator, [operator, mutate], profile)).toBeGreaterThan(1e-2);
  });
});
