import type { JobBundle } from "@photinus/core/job";
import { ParameterSet, Tensor } from "@photinus/core/tensor";

/** Name and shape of each tensor. */
export type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/** 256 float32: 1 kB. */
export const SMALL: Shapes = [["weight", [256]]];

/** The 62 parameters of ResNet-18 (He et al. 2015, table 1; 1 000 classes): 11 689 512 float32. */
export const RESNET18: Shapes = [
  ["conv1.weight", [64, 3, 7, 7]],
  ...normalization("bn1", 64),
  ...[64, 128, 256, 512].flatMap((channels, index) => stage(index + 1, channels)),
  ["fc.weight", [1000, 512]],
  ["fc.bias", [1000]],
];

function normalization(name: string, channels: number): Shapes {
  return [
    [`${name}.weight`, [channels]],
    [`${name}.bias`, [channels]],
  ];
}

function stage(number: number, channels: number): Shapes {
  return [0, 1].flatMap((block) => {
    const name = `layer${number}.${block}`;
    const isFirst = block === 0 && number > 1;
    const inputs = isFirst ? channels / 2 : channels;
    const shapes: Shapes = [
      [`${name}.conv1.weight`, [channels, inputs, 3, 3]],
      ...normalization(`${name}.bn1`, channels),
      [`${name}.conv2.weight`, [channels, channels, 3, 3]],
      ...normalization(`${name}.bn2`, channels),
    ];
    if (!isFirst) return shapes;
    const downsample: Shapes = [
      [`${name}.downsample.0.weight`, [channels, inputs, 1, 1]],
      ...normalization(`${name}.downsample.1`, channels),
    ];
    return [...shapes, ...downsample];
  });
}

/** Parameters of these shapes with small values that differ. */
export function parametersOf(shapes: Shapes): ParameterSet {
  return new ParameterSet(
    shapes.map(([name, shape]) => {
      const values = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
      for (let index = 0; index < values.length; index++) values[index] = ((index % 977) - 488) * 1e-5;
      return [name, Tensor.f32(shape, values)];
    }),
  );
}

/** Bytes of the float32 of these shapes. */
export function bytesOf(shapes: Shapes): number {
  return shapes.reduce(
    (sum, [, shape]) => sum + 4 * shape.reduce((product, dimension) => product * dimension, 1),
    0,
  );
}

/** A job over these shapes. */
export function jobOf(shapes: Shapes, { rounds, sites }: { rounds: number; sites: number }): JobBundle {
  return {
    definition: {
      name: "bench",
      purpose: "Measures the platform.",
      workflow: {
        name: "fedavg",
        rounds,
        minimumSites: sites,
        roundTimeoutMs: 120_000,
        waitForSitesMs: 60_000,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.1, momentum: 0 },
        batchSize: 1,
        localEpochs: 1,
      },
      dataName: "none",
      seed: 1,
      chunkBytes: 262_144,
      maximumExamples: 1,
    },
    model: new Uint8Array(1_000),
    parameters: shapes.map(([name, shape]) => ({ name, dtype: "f32", shape, trainable: true })),
    initialParameters: parametersOf(shapes),
  };
}
