import { expect } from "vitest";
import { benchModel } from "../../src/models/index.ts";
import type { ModelTrainer } from "../../src/trainer/index.ts";
import type { OpenTrainer } from "./model-trainer-contract.ts";
import { shades } from "./shades.ts";

/**
 * Shows that a host's worker is the other end of the port that the contract of trainers runs over: it learns, reports, stops,
 * and takes single steps.
 * @returns the trainer, still open
 */
export async function learnsInAWorker(open: OpenTrainer): Promise<ModelTrainer> {
  const { model, parameters, initialParameters } = benchModel("mlp", 1);
  const trainer = await open({
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
  return trainer;
}
