import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobBundle } from "@photinus/core/job";
import type { Trainer } from "@photinus/core/site";
import { startNodeTrainer } from "@photinus/node-client";
import { benchModel } from "@photinus/training";
import { expect, onTestFinished, test } from "vitest";
import { aFederation, MNIST, temporaryFolder } from "./a-federation.ts";
import { plainFedAvg } from "./plain-loop.ts";

const SITES = ["site-1", "site-2"];

function aJob(rounds: number): JobBundle {
  const { model, parameters, initialParameters } = benchModel("mlp", 1);
  return {
    definition: {
      name: "mnist",
      purpose: "a test",
      workflow: {
        name: "fedavg",
        rounds,
        minimumSites: SITES.length,
        roundTimeoutMs: 60_000,
        waitForSitesMs: 60_000,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
        batchSize: 64,
        localEpochs: 1,
      },
      dataName: "mnist",
      seed: 7,
      chunkBytes: 262_144,
      maximumExamples: 10_000,
    },
    model,
    parameters,
    initialParameters,
  };
}

/** A data folder that holds one site's share of MNIST. */
async function dataFolder(site: number): Promise<string> {
  const folder = join(await temporaryFolder(), "data");
  await mkdir(folder);
  const files = (name: string) => ({
    images: join(MNIST, `${name}-images-idx3-ubyte.gz`),
    labels: join(MNIST, `${name}-labels-idx1-ubyte.gz`),
  });
  const description = {
    format: "idx-images",
    ...{ classes: 10, mean: 0.1307, deviation: 0.3081 },
    training: files("train"),
    heldOut: files("t10k"),
    shard: { site, of: SITES.length, concentration: 0.5, seed: 1, minimumExamples: 500 },
  };
  await writeFile(join(folder, "mnist.json"), JSON.stringify(description));
  return folder;
}

async function trainers(): Promise<ReadonlyMap<string, () => Trainer>> {
  const entries = await Promise.all(
    SITES.map(async (name, index) => {
      const folder = await dataFolder(index);
      return [name, () => startNodeTrainer({ dataFolder: folder, device: "cpu" })] as const;
    }),
  );
  return new Map(entries);
}

test("FedAvg over the platform gives each round the accuracy of a plain loop with the same seeds and shards", async () => {
  const bundle = aJob(3);
  const create = await trainers();
  const plain = new Map([...create].map(([name, trainer]) => [name, trainer()]));
  onTestFinished(async () => {
    await Promise.all([...plain.values()].map((trainer) => trainer.close()));
  });
  const federation = await aFederation(SITES.length);
  for (const [name, trainer] of create) await federation.startSite(name, trainer);
  const user = await federation.connectUser();

  const accuracies: number[] = [];
  const job = await user.submit(bundle, { submitToken: "once" });
  for await (const { metrics } of job.rounds()) accuracies.push(metrics?.accuracy ?? Number.NaN);
  const expected = await plainFedAvg(bundle, plain);

  expect(accuracies.map((value) => value.toFixed(4))).toEqual(expected.map((value) => value.toFixed(4)));
  expect(accuracies.at(-1)).toBeGreaterThan(0.85);
  const { version, model } = await job.result();
  expect(version).toBe(3);
  expect(model.names()).toEqual(bundle.parameters.map(({ name }) => name));
});
