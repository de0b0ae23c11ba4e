import { expect, test } from "vitest";
import type { ChartPoint } from "../src/chart-data.ts";
import {
  accuracyScale,
  lossScale,
  niceCeiling,
  roundExtent,
  roundScale,
  thinOut,
} from "../src/curve-scale.ts";

function aPoint(round: number, accuracy: number, loss: number): ChartPoint {
  return { round, accuracy, loss, trainingLoss: null, accepted: 3, milliseconds: 1000 };
}

test("labels rounds at whole numbers that do not crowd", () => {
  expect(roundScale([0, 10], 0, 600).ticks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(roundScale([0, 10], 0, 250).ticks).toEqual([0, 2, 4, 6, 8, 10]);
  expect(roundScale([0, 1000], 0, 500).ticks).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  expect(roundScale([0, 1], 0, 10).ticks).toEqual([0, 1]);
});

test("begins labels at a whole multiple when a curve begins in the middle", () => {
  expect(roundScale([17, 40], 0, 250).ticks).toEqual([20, 25, 30, 35, 40]);
});

test("draws a short job as a whole and a long one as far as it got", () => {
  expect(roundExtent([aPoint(0, 0.1, 2)], 10)).toEqual([0, 10]);
  expect(roundExtent([aPoint(0, 0.1, 2), aPoint(5, 0.1, 2)], 600)).toEqual([0, 20]);
  expect(roundExtent([aPoint(0, 0.1, 2), aPoint(100, 0.1, 2)], 600)).toEqual([0, 120]);
  expect(roundExtent([aPoint(0, 0.1, 2), aPoint(590, 0.1, 2)], 600)).toEqual([0, 600]);
  expect(roundExtent([aPoint(200, 0.1, 2), aPoint(300, 0.1, 2)], 600)).toEqual([200, 320]);
  expect(roundExtent([], 0)).toEqual([0, 1]);
});

test("begins the accuracy at zero unless all of it lies above the half", () => {
  expect(accuracyScale([aPoint(0, 0.1, 2)], 100, 0).ticks).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(accuracyScale([aPoint(0, 0.6, 2)], 100, 0).ticks).toEqual([0.5, 0.625, 0.75, 0.875, 1]);
});

test("gives the loss as many steps as the accuracy and room for its highest value", () => {
  const { ticks, at } = lossScale([aPoint(0, 0.1, 2.314)], 100, 0);

  expect(ticks.map((tick) => tick.toFixed(1))).toEqual(["0.0", "0.6", "1.2", "1.8", "2.4"]);
  expect(at(0)).toBe(100);
  expect(at(2.4)).toBeCloseTo(0, 9);
});

test("survives a job without any figure and one whose loss is zero", () => {
  expect(lossScale([], 100, 0).ticks).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(lossScale([aPoint(1, 1, 0)], 100, 0).ticks).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test("rounds steps up to 1, 2 or 5 times a power of ten", () => {
  expect([0.7, 1, 1.1, 3, 7, 100].map((value) => niceCeiling(value))).toEqual([1, 1, 2, 5, 10, 100]);
});

test("thins a long curve out and keeps its newest point", () => {
  const points = Array.from({ length: 100_000 }, (_, index) => aPoint(index, 0.5, 1));

  const thin = thinOut(points, 600);

  expect(thin.length).toBeLessThanOrEqual(600);
  expect(thin.at(-1)?.round).toBe(99_999);
});
