import { benchModel } from "@photinus/training";
import { expect, test } from "vitest";
import { shades } from "../../../training/test/reference/shades.ts";
import { createTrainer } from "../../src/trainer/index.ts";

const { model, parameters, initialParameters } = benchModel("mlp", 1);

test("a page trains a model in a worker, on the provider that works, and hears why another was not taken", async () => {
  const trainer = await createTrainer({
    ...{ model, parameters, loss: "cross-entropy", batchSize: 16, data: shades(64) },
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  });
  const controller = new AbortController();
  const reason = new Error("enough");

  await trainer.load(initialParameters);
  const { steps } = await trainer.train(3);
  const { accuracy } = await trainer.evaluate(shades(20));
  const single = await trainer.step(shades(3));
  const endless = trainer.train(1e6, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });

  expect(steps).toBe(12);
  expect(accuracy).toBe(1);
  expect(single).toMatchObject({ kind: "taken" });
  await expect(endless).rejects.toBe(reason);
  expect(trainer.device).toBe("wasm");
  expect(trainer.rejected).toEqual([
    { device: "webgpu", reason: expect.stringMatching(/graphics adapter|WebGPU/) },
  ]);
  await trainer.dispose();
});
