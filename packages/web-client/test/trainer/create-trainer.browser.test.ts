import { expect, test } from "vitest";
import { learnsInAWorker } from "../../../training/test/reference/learns-in-a-worker.ts";
import { createTrainer } from "../../src/trainer/index.ts";

test("a page trains a model in a worker, on the provider that works, and hears why another was not taken", async () => {
  const trainer = await learnsInAWorker(createTrainer);

  expect(trainer.device).toBe("wasm");
  expect(trainer.rejected).toEqual([
    { device: "webgpu", reason: expect.stringMatching(/graphics adapter|WebGPU/) },
  ]);
  await trainer.dispose();
});
