// Runs in Node only: the arithmetic is that of JavaScript in float64, the same in every runtime. In Chromium,
// rules.test.ts tries one case of each group.
import { describe, expect, test } from "vitest";
import { GRADIENTS } from "../../src/gradient/index.ts";
import { LOWERINGS } from "../../src/graph/index.ts";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { gradientError } from "../reference/check-gradient.ts";
import { PROFILE_CASES } from "../reference/profiles.ts";

// Central differences in float64 with h = 1e-5 are good to about 1e-9; constants of the graphs are float32 (6e-8).
const TOLERANCE = 1e-6;

describe("gradient rules", () => {
  test.each(PROFILE_CASES)("$operator $form for $profile agrees with central differences", (sample) => {
    expect(gradientError(sample, sample)).toBeLessThan(TOLERANCE);
  });
});

/** Forms that have no gradient, or none of their own. */
const WITHOUT_CASES: ReadonlySet<string> = new Set(["ConstantOfShape", "EyeLike"]);

test("every gradient rule and every operator written in others has a case", () => {
  const covered = new Set(GRADIENT_CASES.map(({ operator }) => operator));
  const known = [...GRADIENTS.keys(), ...LOWERINGS.keys()];

  expect(known.filter((operator) => !covered.has(operator) && !WITHOUT_CASES.has(operator))).toEqual([]);
});
