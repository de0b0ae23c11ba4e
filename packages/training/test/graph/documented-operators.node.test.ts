// Runs in Node only: it reads a file of the repository.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GRADIENTS } from "../../src/gradient/index.ts";
import { OPERATORS } from "../../src/graph/index.ts";

test("the README lists the operators that are supported", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const listed = (use: string): string[] => {
    const row = readme.split("\n").find((line) => line.startsWith(`| ${use} |`)) ?? "";
    return (row.split("|")[2] ?? "").split(",").map((name) => name.trim());
  };
  const trained = [...GRADIENTS.keys()].toSorted();

  expect(listed("trained through")).toEqual(trained);
  expect(listed("beside the parameters' path only")).toEqual(
    [...OPERATORS.keys()].filter((name) => !GRADIENTS.has(name)).toSorted(),
  );
});
