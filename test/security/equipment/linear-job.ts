import type { JobBundle, JobDefinition } from "@photinus/core/job";
import { layoutOf, type TensorLayout } from "@photinus/core/tensor";
import { initialLinearParameters } from "../../../packages/core/test/coordinator/linear-trainer.ts";

/** A job that fits a line: two rounds, each with whatever sites there are. */
export function aLinearJob(workflow: Partial<JobDefinition["workflow"]> = {}): JobBundle {
  return {
    definition: {
      name: "line",
      purpose: "Fits a line.",
      workflow: {
        name: "fedavg",
        rounds: 2,
        minimumSites: 1,
        roundTimeoutMs: 10_000,
        waitForSitesMs: 10_000,
        ...workflow,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
        batchSize: 1,
        localEpochs: 1,
      },
      dataName: "line",
      seed: 7,
      chunkBytes: 65_536,
      maximumExamples: 1000,
    },
    model: new Uint8Array(1000).fill(5),
    parameters: [
      { name: "weight", dtype: "f32", shape: [4], trainable: true },
      { name: "bias", dtype: "f32", shape: [1], trainable: true },
    ],
    initialParameters: initialLinearParameters(),
  };
}

/** Where the tensors of an update of the linear job lie. */
export const UPDATE_LAYOUT: TensorLayout = layoutOf([
  { name: "weight", dtype: "f32", shape: [4] },
  { name: "bias", dtype: "f32", shape: [1] },
]);

/** Bytes of an update whose floats are all `value`, padding zero. */
export function updateOf(value: number): Uint8Array<ArrayBuffer> {
  const floats = new Float32Array(UPDATE_LAYOUT.byteLength / 4);
  for (const { offset, shape } of UPDATE_LAYOUT.tensors) {
    const first = offset / 4;
    floats.fill(value, first, first + shape.reduce((product, size) => product * size, 1));
  }
  return new Uint8Array(floats.buffer);
}
