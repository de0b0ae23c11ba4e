import { toBytes } from "@photinus/core/bytes";
import type { TrainerJob } from "@photinus/core/site";
import { benchModel } from "@photinus/training";
import { describe, expect, test } from "vitest";
import { browserTrainers } from "../../src/trainer/index.ts";

const { signal } = new AbortController();
const trainers = browserTrainers();
const { model, parameters, initialParameters } = benchModel("mlp", 1);

const job: TrainerJob = {
  jobId: "job",
  dataName: "mnist",
  training: {
    loss: "cross-entropy",
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
    batchSize: 64,
    localEpochs: 1,
  },
  model,
  parameters,
};

const load = async (url: string) => toBytes(await (await fetch(url)).arrayBuffer());

async function mnist() {
  return {
    dataName: "mnist",
    trainingImages: await load(
      new URL("../../../../demos/mnist/t10k-images-idx3-ubyte.gz", import.meta.url).href,
    ),
    trainingLabels: await load(
      new URL("../../../../demos/mnist/t10k-labels-idx1-ubyte.gz", import.meta.url).href,
    ),
  };
}

describe("the trainer worker of a page", () => {
  test("trains MNIST by WebAssembly", async () => {
    const trainer = trainers.start(await mnist(), "wasm");

    const prepared = await trainer.prepare(job, { signal });
    const first = await trainer.train({ parameters: initialParameters, seed: 1 }, { signal });

    expect(prepared).toMatchObject({ device: "wasm", trainingExamples: 2_000, heldOutExamples: 0 });
    expect(first).toMatchObject({ exampleCount: 2_000, steps: 32 });
    expect(first.loss).toBeLessThan(1.2);
    await trainer.close();
  });

  test("trains with another optimizer, a schedule, clipping and a guard, as a job may ask", async () => {
    const trainer = trainers.start(await mnist(), "wasm");
    const training = {
      ...job.training,
      loss: { name: "cross-entropy", labelSmoothing: 0.05 },
      optimizer: { name: "adamw", learningRate: 2e-3, weightDecay: 0.01 },
      groups: [{ parameters: ["*bias*"], weightDecay: 0 }],
      schedule: { name: "cosine", epochs: 4 },
      clippingNorm: 1,
      batchesPerUpdate: 2,
      onNotFinite: "skip",
    } as const;

    await trainer.prepare({ ...job, training }, { signal });
    const request = { parameters: initialParameters, seed: 1 };
    const first = await trainer.train({ ...request, round: 1 }, { signal });
    const behindItsEnd = await trainer.train({ ...request, round: 5 }, { signal });

    expect(first).toMatchObject({ exampleCount: 2_000, steps: 32, skippedUpdates: 0 });
    expect(first.loss).toBeLessThan(1.7);
    expect(behindItsEnd.delta.entries().every(([, { f32 }]) => f32.every((value) => value === 0))).toBe(true);
    await trainer.close();
  });

  test("takes WebAssembly where there is no graphics adapter", async () => {
    const report = await trainers.check("fastest");

    expect(report.chosen).toBe("wasm");
    expect(report.trials.map(({ device, stepsPerSecond }) => [device, stepsPerSecond > 0])).toEqual([
      ["webgpu", false],
      ["wasm", true],
    ]);
  });

  test("says which data is missing", async () => {
    const trainer = trainers.start(await mnist(), "wasm");

    const outcome = trainer.prepare({ ...job, dataName: "cifar" }, { signal });

    await expect(outcome).rejects.toMatchObject({ code: "ERR_DATA_MISSING" });
    await trainer.close();
  });
});
