import { describe, expect, test } from "vitest";
import { epsilonOf, type Releases, renyiDivergence } from "../../src/accounting/index.ts";
import { logAdd, logErfc, logSubtract } from "../../src/accounting/special-functions.ts";

const gaussian = (samplingRate: number, noiseMultiplier: number, count = 1): Releases => ({
  mechanism: { kind: "gaussian", noiseMultiplier, samplingRate },
  count,
});

describe("the accountant of the sampled Gaussian mechanism", () => {
  // Rows 1 and 2 are the 3.01 and 1.26 of Abadi et al. 2016 as TensorFlow Privacy publishes them; the improved column was computed
  // independently in Python, with three grid sizes agreeing to four decimals.
  test.each([
    {
      q: 256 / 60_000,
      sigma: 1.1,
      count: 14_062,
      delta: 1e-5,
      classic: 3.0083,
      improved: 2.5966,
      orders: [8.8, 8.1],
    },
    { q: 0.01, sigma: 4, count: 10_000, delta: 1e-5, classic: 1.2586, improved: 1.0355, orders: [20, 17] },
    { q: 0.01, sigma: 1, count: 1000, delta: 1e-5, classic: 2.538, improved: 2.1014, orders: [7.9, 7.8] },
    { q: 0.1, sigma: 1, count: 100, delta: 1e-5, classic: 8.7938, improved: 7.8993, orders: [3.3, 3.2] },
    { q: 0.05, sigma: 0.8, count: 500, delta: 1e-6, classic: 15.932, improved: 14.8493, orders: [2.6, 2.6] },
    { q: 1, sigma: 1, count: 1, delta: 1e-5, classic: 5.2985, improved: 4.7285, orders: [5.8, 5.4] },
    { q: 1, sigma: 10, count: 100, delta: 1e-5, classic: 5.2985, improved: 4.7285, orders: [5.8, 5.4] },
  ])("q $q, σ $sigma, $count times: the published ε by both conversions", (row) => {
    const releases = [gaussian(row.q, row.sigma, row.count)];

    const classic = epsilonOf(releases, row.delta, "classic");
    const improved = epsilonOf(releases, row.delta, "improved");

    expect(classic.epsilon).toBeCloseTo(row.classic, 4);
    expect(improved.epsilon).toBeCloseTo(row.improved, 4);
    expect([classic.order, improved.order]).toEqual(row.orders);
  });

  test.each([
    [0.01, 1, 2, 1.7181342207e-4],
    [0.01, 1, 8, 8.9364390761e-4],
    [0.01, 1, 2.5, 2.1757533233e-4],
    [0.1, 2, 16, 4.5291839084e-2],
    [0.001, 0.7, 4, 1.4042048652e-5],
  ])("one release with q %f and σ %f diverges at order %f by %f", (q, sigma, order, expected) => {
    const divergence = renyiDivergence(gaussian(q, sigma).mechanism, order);

    expect(divergence / expected).toBeCloseTo(1, 8);
  });

  test("ε grows with releases and with the sampling rate, and falls with the noise", () => {
    const epsilon = (q: number, sigma: number, count: number) =>
      epsilonOf([gaussian(q, sigma, count)], 1e-5).epsilon;

    expect(epsilon(0.1, 1, 20)).toBeGreaterThan(epsilon(0.1, 1, 10));
    expect(epsilon(0.2, 1, 10)).toBeGreaterThan(epsilon(0.1, 1, 10));
    expect(epsilon(1, 1, 10)).toBeGreaterThan(epsilon(0.9, 1, 10));
    expect(epsilon(0.1, 2, 10)).toBeLessThan(epsilon(0.1, 1, 10));
  });

  test("releases by several mechanisms cost more than by each, and no more than their sum", () => {
    const [first, second] = [gaussian(1, 2, 3), gaussian(1, 5, 4)];

    const both = epsilonOf([first, second], 1e-5).epsilon;

    expect(both).toBeGreaterThan(epsilonOf([first], 1e-5).epsilon);
    expect(both).toBeLessThan(epsilonOf([first], 1e-5).epsilon + epsilonOf([second], 1e-5).epsilon);
  });

  test("pure ε costs ε at large orders, and little more than ε²/2 each when it is small", () => {
    expect(renyiDivergence({ kind: "pure", epsilon: 0.5 }, 512)).toBe(0.5);
    expect(renyiDivergence({ kind: "pure", epsilon: 0.1 }, 2)).toBeCloseTo(0.01, 12);
    // 100 times 0.1 is 10 by simple composition.
    expect(epsilonOf([{ mechanism: { kind: "pure", epsilon: 0.1 }, count: 100 }], 1e-5).epsilon).toBeLessThan(
      5,
    );
  });

  test("what was never released costs nothing", () => {
    expect(epsilonOf([], 1e-5).epsilon).toBe(0);
    expect(epsilonOf([gaussian(1, 1, 0)], 1e-5).epsilon).toBe(0);
  });

  test("refuses parameters that no mechanism has", () => {
    expect(() => renyiDivergence({ kind: "gaussian", noiseMultiplier: 0, samplingRate: 1 }, 2)).toThrow(
      RangeError,
    );
    expect(() =>
      renyiDivergence({ kind: "gaussian", noiseMultiplier: Number.NaN, samplingRate: 1 }, 2),
    ).toThrow(RangeError);
    expect(() => renyiDivergence({ kind: "gaussian", noiseMultiplier: 1, samplingRate: 1.1 }, 2)).toThrow(
      RangeError,
    );
    expect(() => renyiDivergence({ kind: "pure", epsilon: 0 }, 2)).toThrow(RangeError);
    expect(() => epsilonOf([], 0)).toThrow(RangeError);
    expect(() => epsilonOf([], 1)).toThrow(RangeError);
  });
});

describe("the functions that it rests on", () => {
  // Python's math.erfc and mpmath, 12 digits.
  test.each([
    [-3, Math.log(1.9999779095030015)],
    [0, 0],
    [0.5, Math.log(0.4795001221869535)],
    [1.9, Math.log(0.00720957076122285)],
    [2.5, Math.log(4.06952017444958e-4)],
    [5, Math.log(1.53745979442803e-12)],
    [30, -903.974117110642],
  ])("log erfc(%f)", (x, expected) => {
    expect(logErfc(x)).toBeCloseTo(expected, 9);
  });

  test("sums and differences of exponents do not overflow", () => {
    expect(logAdd(1000, 1000)).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logAdd(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logSubtract(1000, 1000 + Math.log(0.5))).toBeCloseTo(1000 + Math.log(0.5), 9);
    expect(logSubtract(1, 2)).toBe(-Infinity);
  });
});
