// Runs in Node only: it reads files of the repository.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchModel } from "../../src/models/index.ts";

test.each(["mlp", "cnn"] as const)("demos/models/%s.onnx is what its script builds", (name) => {
  const file = readFileSync(new URL(`../../../../demos/models/${name}.onnx`, import.meta.url));

  expect(file.equals(benchModel(name, 1).model)).toBe(true);
});
