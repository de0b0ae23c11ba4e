import { test } from "vitest";
import { expectSameLosses } from "./same-losses.ts";

test("trains the CNN on the software adapter when WebGPU is asked for", async () => {
  await expectSameLosses("cnn", 8);
}, 120_000);
