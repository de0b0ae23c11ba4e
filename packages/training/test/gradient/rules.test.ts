import { describe, expect, test } from "vitest";
import { GRADIENTS, type Profile } from "../../src/gradient/index.ts";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { gradientError } from "../reference/check-gradient.ts";

const PROFILES: readonly Profile[] = ["cpu", "cuda", "wasm", "webgpu"];

// Central differences in float64 with h = 1e-5 are good to about 1e-9; constants of the graphs are float32 (6e-8).
const TOLERANCE = 1e-6;

describe.each(PROFILES)("gradient rules for %s", (profile) => {
  test.each(GRADIENT_CASES)("$operator $form agrees with central differences", (sample) => {
    expect(gradientError(sample, { profile })).toBeLessThan(TOLERANCE);
  });
});

test("every gradient rule has a case", () => {
  const covered = new Set(GRADIENT_CASES.map(({ operator }) => operator));

  expect([...GRADIENTS.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
});
