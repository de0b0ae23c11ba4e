import { expect, test } from "vitest";
import { parameterRule } from "../../src/compile/parameter-rule.ts";

const optimizer = { name: "adamw", weightDecay: 0.1 } as const;

test.each([
  ["layer.0.bias", ["*.bias"], true],
  ["layer.0.weight", ["*.bias"], false],
  ["bias", ["*.bias"], false],
  ["norm.weight", ["norm.*", "*.bias"], true],
  ["h.3.ln_1.weight", ["h.*.ln_*.weight"], true],
  ["h.3.weight", ["h.*.ln_*.weight"], false],
  ["ab", ["a*ab"], false],
  ["a", ["a"], true],
  ["ab", ["a"], false],
  ["anything", ["*"], true],
])("%s is of the group %j: %s", (name, parameters, isOf) => {
  expect(parameterRule(name, optimizer, [{ parameters, weightDecay: 0 }])).toMatchObject({
    weightDecay: isOf ? 0 : 0.1,
    learningRateFactor: 1,
  });
});

test("the first group that names a parameter counts", () => {
  const groups = [
    { parameters: ["a*"], learningRateFactor: 2 },
    { parameters: ["*"], learningRateFactor: 3, weightDecay: 0 },
  ];

  expect(parameterRule("ab", optimizer, groups)).toMatchObject({ learningRateFactor: 2, weightDecay: 0.1 });
  expect(parameterRule("b", optimizer, groups)).toMatchObject({ learningRateFactor: 3, weightDecay: 0 });
});

test("a pattern of many asterisks is decided in no time", () => {
  const name = "a".repeat(5000);

  expect(
    parameterRule(name, optimizer, [{ parameters: [`${"*a".repeat(128)}*b`], weightDecay: 0 }]),
  ).toMatchObject({
    weightDecay: 0.1,
  });
});
