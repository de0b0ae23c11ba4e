// Runs in Node only: it reads files, and onnxruntime-node is the reference runtime.
import { readFileSync } from "node:fs";
import { fromBase64 } from "@photinus/core/bytes";
import { describe, expect, test } from "vitest";
import { type CompiledStep, compileStep } from "../../src/compile/index.ts";
import type { Profile } from "../../src/gradient/index.ts";
import { type Model, readModel } from "../../src/onnx/index.ts";
import { parameterTable } from "../../src/trainer/index.ts";
import { runSteps } from "../reference/onnx-runtime.ts";
import lenet from "../vectors/torch-samples/lenet.json" with { type: "json" };
import mlp from "../vectors/torch-samples/mlp.json" with { type: "json" };

const CASES = [mlp, lenet];
const FILES = CASES.flatMap((sample) => sample.files.map(({ file, params }) => ({ file, params, sample })));
// The graphs of all profiles run on the CPU, too: what differs are the forms of the gradients.
const PROFILES: readonly Profile[] = ["cpu", "cuda", "webgpu"];
type Sample = (typeof CASES)[number];
type Parameters = (typeof FILES)[number]["params"];

function load(file: string): Model {
  const url = new URL(`../vectors/torch-samples/${file}`, import.meta.url);
  return readModel(new Uint8Array(readFileSync(url)));
}

function compile(model: Model, sample: Sample, profile: Profile): CompiledStep {
  const optimizer = { name: "sgd", momentum: 0.9 } as const;
  const batchSize = sample.inputs[0]!.shape[0]!;
  return compileStep(model, {
    parameters: parameterTable(model),
    loss: "cross-entropy",
    optimizer,
    batchSize,
    profile,
  });
}

function feedsOf(model: Model, sample: Sample) {
  const labels = new BigInt64Array(fromBase64(sample.target.b64).buffer);
  return {
    examples: new Float32Array(fromBase64(sample.inputs[0]!.b64).buffer),
    labels: Int32Array.from(labels, Number),
    weights: new Float32Array(labels.length).fill(1 / labels.length),
    learningRate: sample.sgd.lr,
    parameters: new Map(
      parameterTable(model).map(({ name }) => [name, model.graph.initializers.get(name)!.f32]),
    ),
  };
}

/** Reference gradients by the name that the parameter has in the file. */
function referencesOf(sample: Sample, params: Parameters) {
  const references = new Map(Object.entries(sample.reference.params));
  return params.map(({ onnx, torch }) => ({ name: onnx, reference: references.get(torch)! }));
}

describe.each(FILES)("$file", ({ file, params, sample }) => {
  const model = load(file);

  test("has the parameters that PyTorch trains", () => {
    const names = parameterTable(model).map(({ name }) => name);

    expect(names.toSorted()).toEqual(params.map(({ onnx }) => onnx).toSorted());
  });

  test.each(PROFILES)("has PyTorch's loss and gradients, compiled for %s", async (profile) => {
    const step = compile(model, sample, profile);

    const [first] = await runSteps(step, feedsOf(model, sample), 1);

    expect(Math.abs(first!.loss / sample.reference.loss - 1)).toBeLessThan(1e-5);
    for (const { name, reference } of referencesOf(sample, params)) {
      // After one step from zero velocity, the velocity is the gradient times the learning rate.
      const slot = step.states.find(({ parameter, role }) => parameter === name && role === "optimizer")!;
      const gradient = first!.states.get(slot.output)!.map((value) => value / sample.sgd.lr);
      const tolerance = 1e-4 * reference.grad_norm;
      expect(Math.abs(Math.hypot(...gradient) - reference.grad_norm)).toBeLessThan(tolerance);
      const sum = gradient.reduce((total, value) => total + value, 0);
      expect(Math.abs(sum - reference.grad_sum)).toBeLessThan(tolerance * Math.sqrt(gradient.length));
      for (const [index, value] of reference.grad_samples) {
        expect(Math.abs(gradient[index!]! - value!)).toBeLessThan(tolerance);
      }
    }
  });

  test("follows PyTorch's ten steps of SGD with momentum", async () => {
    const step = compile(model, sample, "cpu");

    const runs = await runSteps(step, feedsOf(model, sample), 10);

    runs.forEach(({ loss }, index) => {
      const expected = sample.sgd.losses[index]!;
      expect(Math.abs(loss - expected)).toBeLessThan(2e-5 * (index + 1) * expected);
    });
    const last = runs.at(-1)!;
    const finals = new Map(Object.entries(sample.sgd.params));
    for (const { onnx, torch } of params) {
      const norm = Math.hypot(...last.states.get(`${onnx}/next`)!);
      expect(Math.abs(norm / finals.get(torch)!.norm - 1)).toBeLessThan(1e-4);
    }
  });
});
