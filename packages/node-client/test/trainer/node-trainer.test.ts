import { fileURLToPath } from "node:url";
import type { TrainerJob } from "@photinus/core/site";
import { benchModel } from "@photinus/training";
import { afterEach, describe, expect, test } from "vitest";
import { startNodeTrainer } from "../../src/trainer/index.ts";

const dataFolder = fileURLToPath(new URL("../../../../demos/mnist", import.meta.url));
const { signal } = new AbortController();
const { model, parameters, initialParameters } = benchModel("mlp", 1);

function aJob(changes: Partial<TrainerJob> = {}): TrainerJob {
  return {
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
    ...changes,
  };
}

const trainers: { close(): Promise<void> }[] = [];
function aTrainer() {
  const trainer = startNodeTrainer({ dataFolder, device: "cpu" });
  trainers.push(trainer);
  return trainer;
}

afterEach(async () => {
  await Promise.all(trainers.splice(0).map((trainer) => trainer.close()));
});

describe("a trainer in a worker thread", () => {
  test("learns MNIST with the MLP in one epoch", async () => {
    const trainer = aTrainer();

    const prepared = await trainer.prepare(aJob(), { signal });
    const before = await trainer.evaluate(initialParameters, { signal });
    const outcome = await trainer.train({ parameters: initialParameters, seed: 7 }, { signal });

    expect(prepared).toEqual({ device: "cpu", trainingExamples: 10_000, heldOutExamples: 2_000 });
    expect(before?.accuracy).toBeLessThan(0.3);
    expect(outcome).toMatchObject({ exampleCount: 10_000, steps: 157 });
    expect(outcome.loss).toBeLessThan(0.6);
    expect(outcome.delta.names()).toEqual(parameters.map(({ name }) => name));
  });
});
