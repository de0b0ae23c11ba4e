import { expect } from "vitest";
import { type Dataset, imageDataset, MNIST_PIXELS } from "../../src/data/index.ts";
import { type BenchModelName, benchModel } from "../../src/models/index.ts";
import type { OpenTrainer } from "./model-trainer-contract.ts";

/** What a model has to reach on digits that it has not seen, within 15 epochs. */
export const MNIST_AIMS: readonly (readonly [model: BenchModelName, accuracy: number])[] = [
  ["mlp", 0.94],
  ["cnn", 0.97],
];

/** The 10 000 digits of the project, and 2 000 others. */
export async function mnist(
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<{ readonly training: Dataset; readonly heldOut: Dataset }> {
  const load = async (name: string): Promise<Dataset> => {
    const [images, labels] = [
      await read(`${name}-images-idx3-ubyte.gz`),
      await read(`${name}-labels-idx1-ubyte.gz`),
    ];
    return imageDataset({ images, labels }, { ...MNIST_PIXELS, name });
  };
  return { training: await load("train"), heldOut: await load("t10k") };
}

/** Trains centrally, from a fixed seed, until the aim is reached. */
export async function learnsMnist(
  open: OpenTrainer,
  { training, heldOut }: Awaited<ReturnType<typeof mnist>>,
  [name, aim]: (typeof MNIST_AIMS)[number],
): Promise<void> {
  const { model, parameters, initialParameters } = benchModel(name, 1);
  const trainer = await open({
    ...{ model, parameters, data: training, loss: "cross-entropy", batchSize: 64, seed: 1 },
    optimizer: { name: "sgd", learningRate: 0.03, momentum: 0.9 },
  });
  await trainer.load(initialParameters);
  let best = 0;
  for (let epoch = 0; epoch < 15 && best < aim; epoch++) {
    await trainer.train(1);
    best = Math.max(best, (await trainer.evaluate(heldOut)).accuracy);
  }
  await trainer.dispose();
  expect(best).toBeGreaterThanOrEqual(aim);
}
