import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchModel, readModel, writeModel } from "@photinus/training";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";

/** Inside the repository, where packages resolve; git ignores it. */
const folder = join(ROOT, ".vite/train-guide");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The bench model as an exporter writes it: with its parameters inside. */
function exported(): Uint8Array {
  const { model: bytes, initialParameters } = benchModel("mlp", 1);
  const model = readModel(bytes);
  const initializers = new Map([...model.graph.initializers, ...initialParameters.entries()]);
  return writeModel({ ...model, graph: { ...model.graph, initializers } });
}

test("the first example of the guide trains an exported model in Node", () => {
  const page = readFileSync(join(ROOT, "docs/guide/train.md"), "utf8");
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, "demos/mnist"), folder, { recursive: true });
  writeFileSync(join(folder, "model.onnx"), exported());
  writeFileSync(join(folder, "train.ts"), code);

  const options = ["--conditions=@photinus/source", "--import", "tsx", "train.ts"];
  const { stdout, stderr, status } = spawnSync(process.execPath, options, { cwd: folder, encoding: "utf8" });

  expect(status, stderr).toBe(0);
  const { steps, accuracy, metrics } = JSON.parse(stdout);
  const [topThree, balanced] = metrics;
  expect(steps).toBe(157);
  expect(accuracy).toBeGreaterThan(0.87);
  expect(topThree).toBeGreaterThan(accuracy);
  expect(Math.abs(balanced - accuracy)).toBeLessThan(0.02);
  expect(
    readModel(new Uint8Array(readFileSync(join(folder, "trained.onnx")))).graph.nodes.length,
  ).toBeGreaterThan(2);
});
