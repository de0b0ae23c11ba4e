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

    expect(prepared).toEqual({ device: "wasm", trainingExamples: 2_000, heldOutExamples: 0 });
    expect(first).toMatchObject({ exampleCount: 2_000, steps: 32 });
    expect(first.loss).toBeLessThan(1.2);
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
