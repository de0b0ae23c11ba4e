// Runs in Node only: it reads files. Every file of every case, of both exporters, on the CPU and on WASM.
import { readdirSync, readFileSync } from "node:fs";
import { fromBase64 } from "@photinus/core/bytes";
import * as onnxNode from "onnxruntime-node";
import * as onnxWeb from "onnxruntime-web";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { readModel } from "../../src/onnx/index.ts";
import type { OnnxRuntime } from "../../src/runtime/index.ts";
import { parameterTable } from "../../src/trainer/index.ts";
import { descend, type TorchSample, withSteps } from "../reference/torch-training.ts";

onnxWeb.env.wasm.numThreads = 1;
const RUNTIMES = [
  ["cpu", onnxNode],
  ["wasm", onnxWeb as OnnxRuntime],
] as const;

const Samples = v.array(v.tuple([v.number(), v.number()]));
const Gradient = v.object({ grad_norm: v.number(), grad_sum: v.number(), grad_samples: Samples });
const Trajectory = v.object({ losses: v.array(v.number()) });
const Packed = v.object({ dtype: v.string(), shape: v.array(v.number()), b64: v.string() });
const Case = v.object({
  inputs: v.array(Packed),
  target: Packed,
  reference: v.object({
    loss: v.number(),
    params: v.record(v.string(), v.object({ ...Gradient.entries, zero_grad: v.optional(v.boolean()) })),
  }),
  buffers_after_1_step: v.optional(v.record(v.string(), v.object({ norm: v.number() }))),
  sgd: v.object({ lr: v.number(), momentum: v.number(), losses: v.array(v.number()) }),
  files: v.array(
    v.object({
      file: v.string(),
      sgd: v.optional(Trajectory),
      params: v.array(
        v.object({ onnx: v.string(), torch: v.nullish(v.string()), ...v.partial(Gradient).entries }),
      ),
    }),
  ),
});
type File = v.InferOutput<typeof Case>["files"][number];

const FOLDER = new URL("../vectors/torch-samples/", import.meta.url);
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => {
    const sample = v.parse(Case, JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")));
    return sample.files.map((file) => ({ file, sample, name: file.file }));
  });

function load(file: File, sample: v.InferOutput<typeof Case>): Omit<TorchSample, "profile"> {
  const model = readModel(new Uint8Array(readFileSync(new URL(file.file, FOLDER))));
  const parameters = file.params.map(({ onnx }) => onnx);
  const table = parameterTable(model, { batchStatistics: true }).map(({ name }) => name);
  const statistics = table.filter((name) => /running_(mean|var)$/.test(name));
  const [input] = sample.inputs;
  const bytes = fromBase64(input!.b64).buffer;
  const values = input!.dtype === "int64" ? new BigInt64Array(bytes) : new Float32Array(bytes);
  const labels = new BigInt64Array(fromBase64(sample.target.b64).buffer);
  return { model, parameters, statistics, labels, input: { shape: input!.shape, values } };
}

function referenceOf(
  sample: v.InferOutput<typeof Case>,
  param: File["params"][number],
): v.InferOutput<typeof Gradient> {
  const own = v.safeParse(Gradient, param);
  const given = sample.reference.params[param.torch ?? ""];
  return own.success
    ? own.output
    : { ...given!, ...(param.grad_samples ? { grad_samples: param.grad_samples } : {}) };
}

describe.each(FILES)("$name", ({ file, sample }) => {
  const loaded = load(file, sample);
  const start = new Map(
    [...loaded.parameters, ...loaded.statistics].map((name) => [
      name,
      loaded.model.graph.initializers.get(name)!.f32,
    ]),
  );

  test.each(RUNTIMES)("has PyTorch's loss, gradients and ten steps of SGD on %s", async (profile, onnx) => {
    await withSteps(onnx, { ...loaded, profile }, async (step) => {
      const first = await step(start);

      expect(Math.abs(first.loss / sample.reference.loss - 1)).toBeLessThan(1e-5);
      for (const param of file.params) {
        const reference = referenceOf(sample, param);
        const gradient = first.gradients.get(param.onnx)!;
        // What cancels analytically leaves rounding errors of the whole gradient.
        const tolerance = Math.max(1e-4 * reference.grad_norm, 1e-6);
        expect(Math.abs(Math.hypot(...gradient) - reference.grad_norm)).toBeLessThan(tolerance);
        const sum = gradient.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - reference.grad_sum)).toBeLessThan(tolerance * Math.sqrt(gradient.length));
        for (const [index, value] of reference.grad_samples) {
          expect(Math.abs(gradient[index]! - value)).toBeLessThan(tolerance);
        }
      }
      const { lr: learningRate, momentum } = sample.sgd;
      const losses = await descend(step, start, { learningRate, momentum, steps: 10 });
      const expected = (file.sgd ?? sample.sgd).losses;
      losses.forEach((loss, index) => {
        expect(Math.abs(loss - expected[index]!)).toBeLessThan(2e-5 * (index + 1) * expected[index]! + 1e-5);
      });
    });
  });

  // PyTorch's older exporter runs the model once: its files hold the statistics of after that step.
  test.runIf(loaded.statistics.length > 0 && file.file.includes(".dynamo"))(
    "has PyTorch's running statistics, but for its n / (n - 1)",
    async () => {
      const examples = sample.inputs[0]!.shape[0]!;

      const { statistics } = await withSteps(onnxNode, { ...loaded, profile: "cpu" }, (step) => step(start));

      for (const [name, value] of statistics) {
        const correction = name.endsWith("running_var") ? examples / (examples - 1) : 1;
        const torch = value.map((after, index) => {
          const kept = momentumOf(loaded.model, name) * start.get(name)![index]!;
          return kept + (after - kept) * correction;
        });
        expect(Math.hypot(...torch) / sample.buffers_after_1_step![name]!.norm).toBeCloseTo(1, 5);
      }
    },
  );
});

/** ONNX's momentum: the share of the running statistic that stays. */
function momentumOf({ graph }: TorchSample["model"], statistic: string): number {
  const momentum = graph.nodes.find(({ inputs }) => inputs.includes(statistic))?.attributes.get("momentum");
  return momentum?.kind === "float" ? momentum.value : 0.9;
}
