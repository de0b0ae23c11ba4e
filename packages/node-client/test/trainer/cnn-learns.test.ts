import { fileURLToPath } from "node:url";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { benchModel } from "@photinus/training";
import { expect, test } from "vitest";
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
  const trained = new ParameterSet(
    initialParameters.entries().map(([name, { shape, f32 }]) => {
      const change = delta.get(name)!.f32;
      return [
        name,
        Tensor.f32(
          shape,
          f32.map((value, index) => value + change[index]!),
        ),
      ];
    }),
  );
  const evaluation = await trainer.evaluate(trained, { signal });

  expect(evaluation?.accuracy).toBeGreaterThan(0.93);
  await trainer.close();
});
