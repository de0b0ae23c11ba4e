import { describe, expect, test } from "vitest";
import type { Profile } from "../../src/gradient/index.ts";
import { GraphBuilder } from "../../src/graph/index.ts";
import { lossOf } from "../../src/loss/index.ts";
import { seededRandom } from "../../src/random.ts";
import { interpret } from "../reference/interpret.ts";
import { makeValue, type Value } from "../reference/value.ts";

const crossEntropy = lossOf("cross-entropy");
const random = seededRandom(3);
const [EXAMPLES, CLASSES] = [4, 5];
const logits = makeValue([EXAMPLES, CLASSES], () => 3 * random.normal());
const labels: Value = { shape: [EXAMPLES, 1], data: Float64Array.of(0, 4, 2, 2) };
const ones = makeValue([EXAMPLES, 1], () => 1);
const even = makeValue([EXAMPLES, 1], () => 1 / EXAMPLES);

function lossGraph(profile: Profile = "cpu") {
  const builder = new GraphBuilder();
  const inputs = {
    output: builder.input("logits", { dtype: "f32", shape: [EXAMPLES, CLASSES] }),
    labels: builder.input("labels", { dtype: "i32", shape: [EXAMPLES, 1] }),
    weights: builder.input("weights", { dtype: "f32", shape: [EXAMPLES, 1] }),
  };
  const value = crossEntropy.differentiate(builder, inputs, profile);
  const measure = crossEntropy.measure(builder, inputs);
  return (feeds: { logits?: Value; labels?: Value; weights?: Value }) => {
    const fed = new Map(Object.entries({ logits, labels, weights: even, ...feeds }));
    const values = interpret(builder, fed);
    return {
      loss: values.get(value.loss)!.data[0]!,
      gradient: values.get(value.gradient)!,
      lossSum: values.get(measure.lossSum)!.data[0]!,
      correct: values.get(measure.correct!)!.data[0]!,
    };
  };
}

/** - log softmax(x)[label] of example `row`. */
function closedForm(row: number): number {
  const x = logits.data.slice(row * CLASSES, (row + 1) * CLASSES);
  return Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0)) - x[labels.data[row]!]!;
}

describe("cross-entropy", () => {
  test.each(["cpu", "webgpu"] as const)("is the mean of -log softmax of the right class on %s", (profile) => {
    const { loss } = lossGraph(profile)({});
    const { lossSum } = lossGraph(profile)({ weights: ones });

    const expected = [0, 1, 2, 3].map(closedForm).reduce((sum, value) => sum + value, 0);
    expect(loss).toBeCloseTo(expected / EXAMPLES, 12);
    expect(lossSum).toBeCloseTo(expected, 12);
  });

  test.each(["cpu", "webgpu"] as const)("has the gradient that central differences give on %s", (profile) => {
    const run = lossGraph(profile);
    const h = 1e-5;

    const { gradient } = run({});

    logits.data.forEach((_, index) => {
      const moved = (step: number): Value =>
        makeValue(logits.shape, (at) => logits.data[at]! + (at === index ? step : 0));
      const slope = (run({ logits: moved(h) }).loss - run({ logits: moved(-h) }).loss) / (2 * h);
      expect(gradient.data[index]).toBeCloseTo(slope, 8);
    });
  });

  test("leaves out what weighs nothing", () => {
    const weights: Value = { shape: [EXAMPLES, 1], data: Float64Array.of(1, 0, 1, 0) };

    const { gradient, lossSum } = lossGraph()({ weights });

    expect(lossSum).toBeCloseTo(closedForm(0) + closedForm(2), 12);
    expect(gradient.data.slice(CLASSES, 2 * CLASSES).every((value) => value === 0)).toBe(true);
  });

  test("stays finite for logits of 1 000 where it is written out", () => {
    const { loss } = lossGraph("webgpu")({
      logits: makeValue(logits.shape, (index) => (index % 2 === 0 ? 1000 : -1000)),
    });

    expect(loss).toBeGreaterThan(0);
    expect(Number.isFinite(loss)).toBe(true);
  });

  test("counts an example as right only if its class is the first of the greatest", () => {
    const same = makeValue(logits.shape, () => 1);

    expect(lossGraph()({ logits: same, weights: ones }).correct).toBe(1); // only the example of class 0
  });

  test("refuses an output that is no matrix of logits", () => {
    expect(() => crossEntropy.types({ dtype: "f32", shape: [8] })).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_SHAPE" }),
    );
  });
});
