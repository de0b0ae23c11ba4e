import { expect, test } from "vitest";
import { cutReason } from "../../src/site/job-admission.ts";

test("a reason is cut to what a message takes, and never within a character", () => {
  expect(cutReason("policy of north")).toBe("policy of north");
  expect(cutReason("x".repeat(600))).toHaveLength(500);
  expect(cutReason(`${"x".repeat(499)}𝔽`)).toBe("x".repeat(499));
  expect(cutReason(`${"x".repeat(498)}𝔽`)).toBe(`${"x".repeat(498)}𝔽`);
});
