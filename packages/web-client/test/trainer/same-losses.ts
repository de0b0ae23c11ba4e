import type { TrainerJob } from "@photinus/core/site";
import { type BenchModelName, benchModel } from "@photinus/training";
import { expect } from "vitest";
import { browserTrainers } from "../../src/trainer/index.ts";

/** 64 examples: a software adapter takes a quarter of a second and more for a step. */
function aFewImages() {
  const images = new Uint8Array(16 + 64 * 784);
  const header = new DataView(images.buffer);
  [0x0803, 64, 28, 28].forEach((value, index) => {
    header.setUint32(4 * index, value);
  });
  images.fill(100, 16, 16 + 32 * 784); // the first half is grey, the second black
  const labels = new Uint8Array(8 + 64);
  new DataView(labels.buffer).setUint32(0, 0x0801);
  new DataView(labels.buffer).setUint32(4, 64);
  labels.fill(1, 8, 8 + 32);
  return { dataName: "halves", trainingImages: images, trainingLabels: labels };
}

/** Trains on WebGPU, asked for by name, and on WebAssembly: both must follow the same steps. */
export async function expectSameLosses(
  name: BenchModelName,
  batchSize: number,
  changes: Partial<TrainerJob["training"]> = {},
): Promise<void> {
  const { signal } = new AbortController();
  const { model, parameters, initialParameters } = benchModel(name, 1);
  const optimizer = { name: "sgd", learningRate: 0.02, momentum: 0.9 } as const;
  const training = { loss: "cross-entropy", optimizer, batchSize, localEpochs: 1, ...changes } as const;
  const job: TrainerJob = { jobId: "job", dataName: "halves", training, model, parameters };
  const losses: number[] = [];
  for (const device of ["webgpu", "wasm"] as const) {
    const trainer = browserTrainers().start(aFewImages(), device);
    expect(await trainer.prepare(job, { signal })).toMatchObject({ device });
    const { loss } = await trainer.train({ parameters: initialParameters, seed: 1 }, { signal });
    losses.push(loss);
    await trainer.close();
  }
  // float32 in another order of summation, over up to eight steps
  expect(Math.abs(losses[0]! / losses[1]! - 1)).toBeLessThan(1e-3);
}
