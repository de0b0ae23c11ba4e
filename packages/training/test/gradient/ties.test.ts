import { expect, test } from "vitest";
import { GRADIENTS, type GradientRule } from "../../src/gradient/index.ts";
import { buildCase } from "../reference/check-gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { makeValue, type Value } from "../reference/value.ts";
import recorded from "../vectors/torch-ties/ties.json" with { type: "json" };

interface Case {
  readonly name: string;
  readonly operator: string;
  readonly axes?: readonly number[];
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
  readonly gradients: readonly (readonly number[])[];
}

const CASES = recorded.cases as readonly Case[]; // written by make.py

function gradientsOf(
  { operator, axes, inputs }: Case,
  rules?: ReadonlyMap<string, GradientRule>,
): number[][] {
  const constants = axes === undefined ? {} : { constants: [axes] };
  const sample = { operator, form: "", inputs: inputs.map(({ shape }) => shape), ...constants };
  const graph = buildCase(sample, { profile: "cpu", ...(rules === undefined ? {} : { rules }) });
  const point = inputs.map(({ shape, data }, index): [string, Value] => [
    graph.inputs[index]!,
    { shape, data: Float64Array.from(data) },
  ]);
  const seed: [string, Value] = [graph.seed, makeValue(graph.builder.shape(graph.seed), () => 1)];
  const values = interpret(graph.builder, new Map([...point, seed]));
  return graph.gradients.map((name) => [...values.get(name)!.data].map((value) => value + 0)); // -0 is 0
}

test.each(CASES)("$name has PyTorch's gradient", (given) => {
  const gradients = gradientsOf(given);

  gradients.forEach((gradient, index) => {
    gradient.forEach((value, at) => {
      expect(value).toBeCloseTo(given.gradients[index]![at]!, 12);
    });
  });
});

test.each([
  ["a greater of two that are equal", "Max", "LeakyRelu"],
  ["a greatest that occurs more than once", "ReduceMax", "ReduceSum"],
  ["a product of one zero", "ReduceProd", "ReduceSum"],
])("the vectors catch another rule: %s by that of %s as %s", (name, operator, other) => {
  const given = CASES.find((one) => one.name === name)!;
  const rules = new Map([...GRADIENTS, [operator, GRADIENTS.get(other)!]]);

  expect(gradientsOf(given, rules).flat()).not.toEqual(given.gradients.flat());
});
