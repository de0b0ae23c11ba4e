import { test } from "vitest";
import { expectSameLosses } from "./same-losses.ts";

test("trains the CNN on the software adapter when WebGPU is asked for", async () => {
  await expectSameLosses("cnn", 8);
}, 120_000);

test("trains the MLP there with AdamW, clipped, gathered and guarded", async () => {
  await expectSameLosses("mlp", 32, {
    optimizer: { name: "adamw", learningRate: 1e-3, weightDecay: 0.1 },
    ...{ clippingNorm: 1, batchesPerUpdate: 2, localEpochs: 2 },
    onNotFinite: "skip",
  });
}, 120_000);
