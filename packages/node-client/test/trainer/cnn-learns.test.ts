import { fileURLToPath } from "node:url";
import { benchModel } from "@photinus/training";
import { expect, test } from "vitest";
import { moved } from "../../../training/test/reference/moved.ts";
import { startNodeTrainer } from "../../src/trainer/index.ts";

test("the CNN learns MNIST to 0.93 in one epoch of 10 000 images", async () => {
  const { signal } = new AbortController();
  const { model, parameters, initialParameters } = benchModel("cnn", 1);
  const optimizer = { name: "sgd", learningRate: 0.05, momentum: 0.9 } as const;
  const training = { loss: "cross-entropy", optimizer, batchSize: 64, localEpochs: 1 } as const;
  const dataFolder = fileURLToPath(new URL("../../../../demos/mnist", import.meta.url));
  const trainer = startNodeTrainer({ dataFolder, device: "cpu" });
  await trainer.prepare({ jobId: "job", dataName: "mnist", training, model, parameters }, { signal });

  const { delta } = await trainer.train({ parameters: initialParameters, seed: 1 }, { signal });
  const trained = moved(initialParameters, delta);
  const evaluation = await trainer.evaluate(trained, { signal });

  expect(evaluation?.accuracy).toBeGreaterThan(0.93);
  await trainer.close();
});
