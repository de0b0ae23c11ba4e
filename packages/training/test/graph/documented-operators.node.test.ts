// Runs in Node only: it reads a file of the repository.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GRADIENTS } from "../../src/gradient/index.ts";
import { LOWERINGS, OPERATORS, SEQUENCE_OPERATORS } from "../../src/graph/index.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

function listed(use: string): string[] {
  const row = readme.split("\n").find((line) => line.startsWith(`| ${use} |`)) ?? "";
  return (row.split("|")[2] ?? "").split(",").map((name) => name.trim());
}

const own = [...GRADIENTS.keys()].filter((name) => !LOWERINGS.has(name));
const lowered = [...LOWERINGS.keys()];
const known = new Set([...own, ...lowered]);

test.each([
  ["trained through", own],
  ["trained through, written in others", lowered],
  ["beside the parameters' path only", [...OPERATORS.keys()].filter((name) => !known.has(name))],
  ["resolved while the model is read", ["If", ...SEQUENCE_OPERATORS]],
])("the README lists the operators that are %s", (use, names) => {
  expect(listed(use)).toEqual(names.toSorted());
});
