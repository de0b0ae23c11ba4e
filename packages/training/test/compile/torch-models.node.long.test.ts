// Runs in Node only: it reads files. Whole models of both of PyTorch's exporters, on small real data, until they fit it.
import { readFileSync } from "node:fs";
import type { TrainingDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import { expect, test } from "vitest";
import type { Dataset } from "../../src/data/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import { createTrainer, type MeasuredEvaluation, parameterTable } from "../../src/trainer/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { digits, everyNth, inkOfDigits, letters, penguins, spam } from "../reference/real-data.ts";

const clock: Clock = {
  now: () => 0,
  after: () => ({ cancel: () => undefined }),
  yield: async () => undefined,
};

interface Case {
  readonly model: string;
  readonly data: () => Dataset | Promise<Dataset>;
  /** Examples that it has not seen, and the accuracy that it has on them. */
  readonly unseen?: { readonly data: () => Dataset | Promise<Dataset>; readonly accuracy: number };
  readonly training?: Partial<TrainingDefinition>;
  readonly learningRate: number;
  readonly epochs: number;
  readonly fits: (on: MeasuredEvaluation) => boolean;
}

const accuracyOf =
  (least: number): Case["fits"] =>
  ({ accuracy }) =>
    accuracy >= least;

const CASES: readonly Case[] = [
  {
    ...{ model: "mlp", learningRate: 0.01, epochs: 30, fits: accuracyOf(0.99) },
    data: () => everyNth(penguins(), 5, true),
    unseen: { data: () => everyNth(penguins(), 5, false), accuracy: 0.97 },
  },
  {
    ...{ model: "lenet", learningRate: 3e-3, epochs: 10, fits: accuracyOf(0.99) },
    data: () => digits(2000),
    unseen: { data: () => digits(1000, "t10k"), accuracy: 0.94 },
  },
  {
    ...{ model: "resnet18", learningRate: 5e-3, epochs: 12, fits: accuracyOf(0.98) },
    data: () => digits(1000),
    unseen: { data: () => digits(500, "t10k"), accuracy: 0.85 },
  },
  {
    ...{ model: "unet", learningRate: 0.01, epochs: 4, fits: ({ loss }) => loss < 0.06 },
    ...{ data: () => inkOfDigits(200), training: { loss: "binary-cross-entropy", batchSize: 10 } },
  },
  {
    // The frequencies of letters alone leave about 3.1 nats.
    ...{ model: "gpt2", learningRate: 6e-3, epochs: 50, fits: ({ loss }) => loss < 1.6 },
    data: () => letters(32),
  },
  {
    ...{ model: "lstm", learningRate: 0.01, epochs: 25, fits: accuracyOf(0.98) },
    data: () => spam(48, false),
  },
  {
    ...{ model: "distilbert", learningRate: 4e-3, epochs: 25, fits: accuracyOf(0.97) },
    data: () => spam(48, true),
  },
];

const FILES = CASES.flatMap((model) => ["torchscript", "dynamo"].map((exporter) => ({ ...model, exporter })));

test.each(FILES)("$model of the exporter $exporter fits real data", async (given) => {
  const { model: name, exporter, learningRate, epochs, training } = given;
  const file = new URL(`../vectors/torch-models/${name}.${exporter}.onnx`, import.meta.url);
  const model = new Uint8Array(readFileSync(file));
  const data = await given.data();
  const trainer = await createTrainer({
    ...{ model, data, clock, runtimes: [cpuRuntime()], seed: 1 },
    ...{ loss: "cross-entropy", batchSize: 32, optimizer: { name: "adam", learningRate }, clippingNorm: 1 },
    schedule: { name: "cosine", epochs, floor: 0.05 },
    parameters: parameterTable(readModel(model), { batchStatistics: true }),
    ...training,
  });

  const before = await trainer.evaluate(data);
  await trainer.train(epochs);
  const after = await trainer.evaluate(data);

  expect(given.fits(before)).toBe(false);
  expect(given.fits(after), `loss ${after.loss}, accuracy ${after.accuracy}`).toBe(true);
  if (given.unseen !== undefined) {
    const { accuracy } = await trainer.evaluate(await given.unseen.data());
    expect(accuracy).toBeGreaterThanOrEqual(given.unseen.accuracy);
  }
  await trainer.dispose();
});
