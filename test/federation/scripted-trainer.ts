import type { JobBundle } from "@photinus/core/job";
import type { Trainer, TrainerJob, TrainOutcome, TrainRequest } from "@photinus/core/site";
import { ParameterSet, Tensor } from "@photinus/core/tensor";

/** A small model of one tensor, and its job. */
export function smallJob(rounds: number, minimumSites: number): JobBundle {
  const parameters = [{ name: "w", dtype: "f32", shape: [8], trainable: true }] as const;
  return {
    definition: {
      name: "small",
      purpose: "a test",
      workflow: { name: "fedavg", rounds, minimumSites, roundTimeoutMs: 20_000, waitForSitesMs: 20_000 },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.1, momentum: 0 },
        batchSize: 1,
        localEpochs: 1,
      },
      dataName: "mnist",
      seed: 1,
      chunkBytes: 65_536,
      maximumExamples: 100,
    },
    model: new Uint8Array(64),
    parameters,
    initialParameters: new ParameterSet([["w", Tensor.f32([8], new Float32Array(8))]]),
  };
}

/** What a site adds to every weight in each round; or what it does instead. */
export type Script = (request: TrainRequest) => number | Promise<number> | TrainOutcome;

/** A trainer that does as it is told: the real part of a site is everything around it. */
export function scriptedTrainer(script: Script, exampleCount = 10): () => Trainer {
  return () => ({
    async prepare(_job: TrainerJob) {
      return { device: "none", trainingExamples: exampleCount, heldOutExamples: 1 };
    },
    async evaluate(parameters: ParameterSet) {
      return { loss: 1, accuracy: Math.min(1, Math.abs(parameters.get("w")?.f32[0] ?? 0)), exampleCount: 1 };
    },
    async train(request: TrainRequest) {
      const outcome = await script(request);
      if (typeof outcome !== "number") return outcome;
      const delta = new ParameterSet([["w", Tensor.f32([8], new Float32Array(8).fill(outcome))]]);
      return { delta, exampleCount, loss: 1, steps: 1 };
    },
    async close() {},
  });
}
