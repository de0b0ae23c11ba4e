import type { LossDefinition } from "@photinus/core/job";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/index.ts";
import { lossOf } from "../../src/loss/index.ts";
import { interpret } from "../reference/interpret.ts";
import type { Value } from "../reference/value.ts";
import recorded from "../vectors/torch-losses/losses.json" with { type: "json" };

interface Case {
  readonly name: string;
  readonly loss: LossDefinition;
  readonly output: { readonly shape: readonly number[]; readonly data: readonly number[] };
  readonly labels: readonly number[];
  readonly value: number;
  readonly gradient: readonly number[];
}

const CASES = recorded.cases as unknown as readonly Case[]; // written by make.py
const TOLERANCE = 1e-7; // constants of the graph are float32

function run(
  { loss: definition, output, labels }: Case,
  profile: "cpu" | "webgpu",
  weights?: readonly number[],
) {
  const loss = lossOf(definition);
  const types = loss.types({ dtype: "f32", shape: output.shape });
  const builder = new GraphBuilder();
  const inputs = {
    output: builder.input("output", { dtype: "f32", shape: output.shape }),
    labels: builder.input("labels", types.labels),
    weights: builder.input("weights", types.weights),
  };
  const value = loss.differentiate(builder, inputs, profile);
  const measure = loss.measure(builder, inputs);
  const counted =
    types.classCount === undefined
      ? types.termsPerExample * output.shape[0]!
      : labels.filter((label) => label !== types.ignoredLabel).length;
  const examples = output.shape[0]!;
  const weight = weights ?? Array.from({ length: examples }, () => 1 / counted);
  const feeds = new Map<string, Value>([
    ["output", { shape: output.shape, data: Float64Array.from(output.data) }],
    ["labels", { shape: types.labels.shape, data: Float64Array.from(labels) }],
    ["weights", { shape: types.weights.shape, data: Float64Array.from(weight) }],
  ]);
  const values = interpret(builder, feeds);
  return {
    counted,
    loss: values.get(value.loss)!.data[0]!,
    gradient: [...values.get(value.gradient)!.data],
    lossSum: values.get(measure.lossSum)!.data[0]!,
    correct: measure.correct === undefined ? undefined : values.get(measure.correct)!.data[0]!,
  };
}

describe.each(CASES)("$name", (given) => {
  test.each(["cpu", "webgpu"] as const)("has PyTorch's value and gradient on %s", (profile) => {
    const { loss, gradient } = run(given, profile);

    expect(Math.abs(loss - given.value)).toBeLessThan(TOLERANCE * Math.max(1, given.value));
    gradient.forEach((slope, index) => {
      expect(Math.abs(slope - given.gradient[index]!)).toBeLessThan(TOLERANCE);
    });
  });

  test("adds up over batches: halves of the examples together measure what the whole does", () => {
    const examples = given.output.shape[0]!;
    const half = (from: number): number[] =>
      Array.from({ length: examples }, (_, index) => (index % 2 === from ? 1 : 0));

    const [even, odd, whole] = [half(0), half(1), half(0).fill(1)].map((weights) =>
      run(given, "cpu", weights),
    );

    expect(even!.lossSum + odd!.lossSum).toBeCloseTo(whole!.lossSum, 9);
    expect(whole!.lossSum / whole!.counted).toBeCloseTo(given.value, 6);
    expect((even!.correct ?? 0) + (odd!.correct ?? 0)).toBe(whole!.correct ?? 0);
  });
});

test("binary answers are right where the more probable one is the label", () => {
  const given: Case = {
    ...{ name: "", loss: "binary-cross-entropy", value: 0, gradient: [] },
    output: { shape: [4, 1], data: [2, -2, 2, 0] },
    labels: [1, 0, 0, 0],
  };

  expect(run(given, "cpu", [1, 1, 1, 1]).correct).toBe(3);
});

test("logits of 1 000 have a finite loss, of the distance to the label", () => {
  const given: Case = {
    ...{ name: "", loss: "binary-cross-entropy", value: 0, gradient: [] },
    output: { shape: [2, 1], data: [1000, -1000] },
    labels: [0, 0],
  };

  expect(run(given, "cpu", [1, 1]).lossSum).toBe(1000);
});

test.each([
  ["cross-entropy", [8]],
  ["cross-entropy", [8, 1]],
  [{ name: "cross-entropy", classAxis: 3 }, [8, 4]],
  ["kl-divergence", [8]],
  ["huber", []],
] as const)("%j refuses an output [%s]", (definition, shape) => {
  expect(() => lossOf(definition).types({ dtype: "f32", shape })).toThrow(
    expect.objectContaining({ code: "ERR_MODEL_SHAPE" }),
  );
});
