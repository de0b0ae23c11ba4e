import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatPercentOr,
  formatPoints,
} from "../src/format.ts";

test("writes fractions as percent with one decimal", () => {
  expect(formatPercent(0.9213)).toBe("92.1\u202f%");
  expect(formatPercentOr(null)).toBe("–");
});

test("writes changes in points with their sign, and no sign for none", () => {
  expect(formatPoints(0.031)).toBe("+3.1");
  expect(formatPoints(-0.02)).toBe("−2.0");
  expect(formatPoints(0.0001)).toBe("0.0");
});

test("writes losses with as many digits as can be read", () => {
  expect([0.2613, 12.34, 123.4].map(formatLoss)).toEqual(["0.261", "12.3", "123"]);
});

test("writes bytes in decimal units with three digits", () => {
  expect([0, 999, 1234, 81_160, 3_990_000, 46_800_000, 999_999_999].map(formatBytes)).toEqual(
    ["0 B", "999 B", "1.23 kB", "81.2 kB", "3.99 MB", "46.8 MB", "1.00 GB"].map((text) =>
      text.replace(" ", "\u202f"),
    ),
  );
});

test("writes durations in the unit that people would use", () => {
  expect([340, 1900, 59_600, 125_000, 11_520_000].map(formatDuration)).toEqual([
    "340\u202fms",
    "1.9\u202fs",
    "1\u202fmin 0\u202fs",
    "2\u202fmin 5\u202fs",
    "3\u202fh 12\u202fmin",
  ]);
});

test("groups the digits of counts", () => {
  expect(formatCount(12_345)).toBe("12,345");
});
