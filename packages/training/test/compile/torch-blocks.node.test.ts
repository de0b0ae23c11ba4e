// Runs in Node only: it reads files. Blocks of larger models, of both exporters, on the CPU and on WASM.
import { readdirSync, readFileSync } from "node:fs";
import { fromBase64 } from "@photinus/core/bytes";
import * as onnxNode from "onnxruntime-node";
import * as onnxWeb from "onnxruntime-web";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { readModel } from "../../src/onnx/index.ts";
import type { OnnxRuntime } from "../../src/runtime/index.ts";
import { parameterTable } from "../../src/trainer/index.ts";
import { descend, withSteps } from "../reference/torch-training.ts";

onnxWeb.env.wasm.numThreads = 1;
const RUNTIMES = [
  ["cpu", onnxNode],
  ["wasm", onnxWeb as OnnxRuntime],
] as const;

const Summary = v.object({
  norm: v.number(),
  sum: v.number(),
  samples: v.array(v.tuple([v.number(), v.number()])),
});
const Packed = v.object({ dtype: v.string(), shape: v.array(v.number()), b64: v.string() });
const Case = v.object({
  input: Packed,
  target: Packed,
  learningRate: v.number(),
  momentum: v.number(),
  gradients: v.record(v.string(), Summary),
  losses: v.array(v.number()),
  files: v.array(v.object({ file: v.string(), parameters: v.array(v.string()) })),
});

const FOLDER = new URL("../vectors/torch-blocks/", import.meta.url);
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => {
    const sample = v.parse(Case, JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")));
    return sample.files.map(({ file, parameters }) => ({ file, parameters, sample }));
  });

describe.each(FILES)("$file", ({ file, parameters, sample }) => {
  const model = readModel(new Uint8Array(readFileSync(new URL(file, FOLDER))));
  const table = parameterTable(model, { batchStatistics: true }).map(({ name }) => name);
  const statistics = table.filter((name) => /running_(mean|var)$/.test(name));
  const bytes = fromBase64(sample.input.b64).buffer;
  const values = sample.input.dtype === "int64" ? new BigInt64Array(bytes) : new Float32Array(bytes);
  const labels = new BigInt64Array(fromBase64(sample.target.b64).buffer);
  const input = { shape: sample.input.shape, values };

  test("keeps every parameter under PyTorch's name", () => {
    expect(parameters).toEqual(Object.keys(sample.gradients));
  });

  test.each(RUNTIMES)("has PyTorch's loss, gradients and steps of SGD on %s", async (profile, onnx) => {
    const training = { model, input, labels, parameters, statistics, profile };
    await withSteps(onnx, training, async (step) => {
      const names = [...parameters, ...statistics];
      const start = new Map(names.map((name) => [name, model.graph.initializers.get(name)!.f32]));
      const { gradients } = await step(start);

      for (const [name, gradient] of gradients) {
        const { norm, sum, samples } = sample.gradients[name]!;
        const tolerance = Math.max(1e-4 * norm, 1e-6);
        expect(Math.abs(Math.hypot(...gradient) - norm), name).toBeLessThan(tolerance);
        const total = gradient.reduce((whole, value) => whole + value, 0);
        expect(Math.abs(total - sum), name).toBeLessThan(tolerance * Math.sqrt(gradient.length));
        for (const [index, value] of samples)
          expect(Math.abs(gradient[index]! - value), name).toBeLessThan(tolerance);
      }
      const losses = await descend(step, start, { ...sample, steps: sample.losses.length });
      losses.forEach((loss, index) => {
        const expected = sample.losses[index]!;
        expect(Math.abs(loss - expected)).toBeLessThan(2e-5 * (index + 1) * expected);
      });
    });
  });
});
