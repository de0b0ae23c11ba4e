import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Model, writeModel } from "@photinus/training";
import { expect, test } from "vitest";
import { folder, run } from "./run-photinus.ts";

const demo = fileURLToPath(new URL("../../../demos/models/cnn.onnx", import.meta.url));

function aModel(operator: string): Model {
  const value = { name: "x", dtype: "f32", shape: ["batch", 4] } as const;
  const node = { name: "classify/loop", operator, inputs: ["x"], outputs: ["y"], attributes: new Map() };
  const graph = {
    name: "",
    inputs: [value],
    outputs: [{ ...value, name: "y" }],
    initializers: new Map(),
    nodes: [node],
  };
  return { irVersion: 9, opset: 20, producer: "hand", graph };
}

test("model inspect tells inputs, parameters and operators of a model that can be trained", async () => {
  const { code, out } = await run("model", "inspect", demo);

  expect(code).toBe(0);
  expect(out).toMatch(/input {2}\S+ {2}f32 \[.*1, 28, 28\]/);
  expect(out).toMatch(/operators {2}.*Conv 2/);
  expect(out).toContain("This model can be trained.");
});

test("model inspect prints one object with --json", async () => {
  const { out } = await run("model", "inspect", demo, "--json");

  const report: unknown = JSON.parse(out);
  expect(report).toMatchObject({ trainable: true, blockers: [], opset: expect.any(Number) });
});

test("model inspect names the node and operator that block training, and what to change", async () => {
  const file = join(await folder(), "loop.onnx");
  await writeFile(file, writeModel(aModel("Loop")));

  const people = await run("model", "inspect", file);
  const programs = await run("model", "inspect", file, "--json");

  expect(people.code).toBe(0);
  expect(people.out).toMatch(/cannot be trained[\s\S]*Loop \(node classify\/loop\): .*fixed sizes/);
  expect(JSON.parse(programs.out)).toMatchObject({
    trainable: false,
    blockers: [{ node: "classify/loop", operator: "Loop", code: "ERR_MODEL_OPERATOR" }],
  });
});

test("model inspect refuses what is no model, and a file that is not there", async () => {
  const file = join(await folder(), "text.onnx");
  await writeFile(file, "no model");

  expect((await run("model", "inspect", file)).err).toContain("ERR_MODEL_MALFORMED");
  expect((await run("model", "inspect", `${file}.gone`)).err).toContain("ERR_CONFIG_INVALID");
});
