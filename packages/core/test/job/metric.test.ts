import { describe, expect, test } from "vitest";
import {
  type MetricBatch,
  type MetricDefinition,
  mergeSums,
  metricOf,
  metricProblem,
  metricSumCount,
  metricValues,
  packMetricSums,
  unpackMetricSums,
} from "../../src/job/index.ts";

interface Said {
  readonly output: readonly number[];
  readonly labels: readonly number[];
  readonly classCount?: number;
  readonly classStride?: number;
  readonly ignoredLabel?: number;
  readonly lossSum?: number;
  /** Of the labels, the first so many are no padding. */
  readonly labelCount?: number;
}

function batchOf({
  output,
  labels,
  classCount = 1,
  classStride = 1,
  lossSum = 0,
  ...rest
}: Said): MetricBatch {
  const { ignoredLabel, labelCount = labels.length } = rest;
  return {
    ...{ output: Float32Array.from(output), labels: Float32Array.from(labels), classCount, classStride },
    ...{ lossSum, ignoredLabel, labelCount },
    counted: labels.slice(0, labelCount).filter((label) => label !== ignoredLabel).length,
  };
}

function sumsOf(definition: MetricDefinition, said: Said): Float64Array {
  const metric = metricOf(definition);
  const sums = new Float64Array(metric.size(said.classCount ?? 1));
  metric.add(sums, batchOf(said));
  return sums;
}

const measure = (definition: MetricDefinition, said: Said): number =>
  metricOf(definition).finish(sumsOf(definition, said));

/** Four examples of three classes; labels 2, 0, 1, 1; answers 2, 1, 0, 1. */
const four: Said = {
  output: [0, 1, 5, 2, 3, 1, 4, 3, 0, 1, 9, 1],
  labels: [2, 0, 1, 1],
  classCount: 3,
};

describe("top-k", () => {
  test.each([
    [1, 2 / 4],
    [2, 1],
  ])("of k = %s counts labels among the greatest", (k, expected) => {
    expect(measure({ name: "top-k", k }, four)).toBe(expected);
  });

  test("takes the first of equal logits for the greater, and a NaN for greater than all", () => {
    const equal = { output: [1, 1, 1, 1], labels: [0, 1], classCount: 2 };
    const nan = { output: [Number.NaN, 1], labels: [1], classCount: 2 };

    expect(measure({ name: "top-k", k: 1 }, equal)).toBe(0.5);
    expect(measure({ name: "top-k", k: 1 }, nan)).toBe(0);
  });

  test("reads classes that do not lie last, and leaves out padding and ignored labels", () => {
    // two examples [2 classes, 3 places]: classes are 3 apart
    const said = {
      ...{ classCount: 2, classStride: 3, ignoredLabel: -1, labelCount: 3 },
      output: [9, 0, 0, 0, 9, 9, 9, 9, 9, 0, 0, 0],
      labels: [0, 0, -1, 1, 1, 1],
    };

    expect([...sumsOf({ name: "top-k", k: 1 }, said)]).toEqual([1, 2]);
  });
});

describe("a confusion matrix", () => {
  test("counts by label and answer; its number is the balanced accuracy", () => {
    expect([...sumsOf({ name: "confusion-matrix" }, four)]).toEqual([0, 1, 0, 1, 1, 0, 0, 0, 1]);
    expect(measure({ name: "confusion-matrix" }, four)).toBeCloseTo((0 + 1 / 2 + 1) / 3, 12);
  });

  test("leaves out classes that do not occur", () => {
    expect(measure({ name: "confusion-matrix" }, { output: [0, 1, 0], labels: [1], classCount: 3 })).toBe(1);
  });
});

describe("the area under the curve", () => {
  test("is the share of pairs whose yes has the greater score, half of it for equal ones", () => {
    // yes: 2, 0.5, -1; no: 0, 0.5: of six pairs, yes wins 1 + 1 + 1, ties once
    const said = { output: [2, 0.5, -1, 0, 0.5], labels: [1, 1, 1, 0, 0] };

    expect(measure({ name: "auc" }, said)).toBeCloseTo((2 + 1.5 + 0) / 6, 12);
  });

  test("is 1 for a perfect order, 0 for its reverse, and no number without both answers", () => {
    expect(measure({ name: "auc" }, { output: [-1, 1], labels: [0, 1] })).toBe(1);
    expect(measure({ name: "auc" }, { output: [-1, 1], labels: [1, 0] })).toBe(0);
    expect(measure({ name: "auc" }, { output: [-1, 1], labels: [1, 1] })).toBeNaN();
  });

  test("reads two logits as one: their difference", () => {
    const one = { output: [1, -2, 3], labels: [1, 0, 0] };
    const two = { output: [0, 1, 2, 0, 0, 3], labels: [1, 0, 0], classCount: 2 };

    expect(measure({ name: "auc" }, two)).toBe(measure({ name: "auc" }, one));
  });
});

test("perplexity is exp of the mean loss", () => {
  const said = { output: [], labels: [0, 0, 0, 0], lossSum: 4 * Math.log(7) };

  expect(measure({ name: "perplexity" }, said)).toBeCloseTo(7, 12);
});

test("R² is 1 for what was asked, 0 for the mean, less for worse", () => {
  const labels = [1, 2, 3, 6];

  expect(measure({ name: "r2" }, { output: labels, labels })).toBe(1);
  expect(measure({ name: "r2" }, { output: [3, 3, 3, 3], labels })).toBe(0);
  expect(measure({ name: "r2" }, { output: [1, 2, 3, 2], labels })).toBeCloseTo(1 - 16 / 14, 12);
});

test.each([
  [{ name: "confusion-matrix" }, 64, undefined],
  [{ name: "confusion-matrix" }, 65, "confusion-matrix of 65 classes keeps 4225 sums, at most 4096"],
  [{ name: "confusion-matrix" }, 1, "confusion-matrix says nothing of single numbers"],
  [{ name: "auc" }, 2, undefined],
  [{ name: "auc" }, 3, "auc says nothing of 3 classes"],
  [{ name: "r2" }, 2, "r2 says nothing of 2 classes"],
  [{ name: "top-k", k: 5 }, 1000, undefined],
] as const)("%j of %s classes: %s", (definition, classCount, problem) => {
  expect(metricProblem(definition, classCount)).toBe(problem);
});

describe("sums of sites", () => {
  const definitions = [
    { name: "top-k", k: 2 },
    { name: "confusion-matrix" },
    { name: "auc" },
    { name: "perplexity" },
    { name: "r2" },
  ] as const;

  test.each(definitions)("of $name together are those of all examples", (definition) => {
    const classCount = definition.name === "r2" || definition.name === "auc" ? 1 : 3;
    const output = Array.from({ length: 12 * classCount }, (_, index) => Math.sin(7 * index));
    const labels = Array.from({ length: 12 }, (_, index) => (5 * index) % (classCount === 1 ? 2 : 3));
    const part = (from: number, to: number): Said => ({
      ...{ classCount, lossSum: to - from },
      output: output.slice(from * classCount, to * classCount),
      labels: labels.slice(from, to),
    });
    const { finish } = metricOf(definition);

    const merged = mergeSums([sumsOf(definition, part(0, 5)), sumsOf(definition, part(5, 12))]);

    expect(finish(merged)).toBeCloseTo(finish(sumsOf(definition, part(0, 12))), 12);
  });

  test("of different lengths are refused", () => {
    expect(() => mergeSums([[1], [1, 2]])).toThrow(RangeError);
  });
});

describe("the metrics of a job", () => {
  const metrics: readonly MetricDefinition[] = [
    { name: "top-k", k: 3 },
    { name: "confusion-matrix", classes: 2 },
    { name: "perplexity" },
  ];

  test("are sums of a number that the job alone says, and become numbers once all are together", () => {
    const all = mergeSums([
      [1, 2, 1, 0, 0, 1, 0, 0],
      [1, 2, 1, 0, 2, 0, 0, 0],
    ]);

    expect(metricSumCount(metrics)).toBe(8);
    expect(metricValues(metrics, all)).toEqual([
      { name: "top-3", value: 0.5 },
      { name: "confusion-matrix", value: (1 + 1 / 3) / 2 },
    ]);
  });

  test("travel as bytes, of which there are as many as the job says, and all finite", () => {
    const sums = [1, 2, 3, 4, 5, 6, 7.5, 8];
    const bytes = packMetricSums(sums);

    expect([...(unpackMetricSums(bytes, metrics) ?? [])]).toEqual(sums);
    expect(unpackMetricSums(bytes.slice(8), metrics)).toBeUndefined();
    expect(unpackMetricSums(bytes, [])).toBeUndefined();
    expect(unpackMetricSums(packMetricSums([...sums.slice(1), Number.NaN]), metrics)).toBeUndefined();
  });

  test.each([
    ["more hits than labels", [{ name: "top-k", k: 3 }], [3, 2]],
    ["half a label", [{ name: "top-k", k: 3 }], [1, 2.5]],
    ["less than no example in a cell", [{ name: "confusion-matrix", classes: 2 }], [4, -1, 0, 2]],
    ["less than no loss", [{ name: "perplexity" }], [-1, 2]],
    ["less than no score in a bin", [{ name: "auc" }], [-1, ...Array<number>(2047).fill(0)]],
    ["squares that are smaller than those of their mean", [{ name: "r2" }], [2, 10, 49, 1]],
    ["a negative square", [{ name: "r2" }], [0, 0, -1, 0]],
  ] as const)("are no sums of examples with %s", (_, told, sums) => {
    expect(unpackMetricSums(packMetricSums(sums), told)).toBeUndefined();
    expect(unpackMetricSums(packMetricSums(sums.map(() => 0)), told)).toBeDefined();
  });

  test("are refused where the model has other classes than a confusion matrix of the job", () => {
    expect(metricProblem({ name: "confusion-matrix", classes: 3 }, 2)).toMatch(
      /of 3 classes, the model has 2/,
    );
    expect(metricProblem({ name: "confusion-matrix", classes: 2 }, 2)).toBeUndefined();
  });
});
