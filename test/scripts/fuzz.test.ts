import { expect, test } from "vitest";
import { parseFuzzArguments } from "../../scripts/fuzz.ts";

test("tries all targets for a minute unless it is told otherwise", () => {
  const all = parseFuzzArguments([]);
  const one = parseFuzzArguments(["--minutes", "10", "--seed", "x", "certificate"]);

  expect(all.targets.length).toBeGreaterThan(10);
  expect([all.minutes, all.keeps]).toEqual([1, false]);
  expect(one.targets.map(({ name }) => name)).toEqual(["certificate"]);
  expect([one.minutes, one.seed]).toEqual([10, "x"]);
});

test.each([
  ["an unknown target", ["tls"]],
  ["no time", ["--minutes", "0"]],
  ["a time that is none", ["--minutes", "x"]],
])("refuses %s and tells how it is used", (_what, args) => {
  expect(() => parseFuzzArguments(args)).toThrow("usage: npm run fuzz");
});
