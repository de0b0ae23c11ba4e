import type { JobBundle } from "@photinus/core/job";
import { type BenchModelName, benchModel } from "@photinus/training";
import { DATA_NAME } from "./mnist-data.ts";

/** What a person may choose of the demo's job. */
export interface DemoJobOptions {
  readonly model: BenchModelName;
  readonly rounds: number;
  /** Sites that each round waits for. */
  readonly sites: number;
}

/** Seed of initial values and shuffles. */
const SEED = 1;

/** The job that the demo submits: its settings reach 0.95 with the CNN after ten rounds. */
export function demoJob({ model, rounds, sites }: DemoJobOptions): JobBundle {
  const { model: graph, parameters, initialParameters } = benchModel(model, SEED);
  return {
    definition: {
      name: `mnist-${model}`,
      purpose: "A demonstration: recognise handwritten digits. The model is thrown away when the demo ends.",
      workflow: {
        name: "fedavg",
        rounds,
        minimumSites: sites,
        roundTimeoutMs: 120_000,
        waitForSitesMs: 120_000,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
        batchSize: 64,
        localEpochs: 1,
      },
      dataName: DATA_NAME,
      seed: SEED,
      chunkBytes: 262_144,
      maximumExamples: 100_000,
    },
    model: graph,
    parameters,
    initialParameters,
  };
}
