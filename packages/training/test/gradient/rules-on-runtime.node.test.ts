// Runs in Node only: onnxruntime-node is the runtime. `npm run verify:gpu` does the same on the devices of a GPU host.
import { describe, expect, test } from "vitest";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { PROFILE_CASES } from "../reference/profiles.ts";
import { errorOnRuntime } from "../reference/run-on-runtime.ts";

// float32: sums of at most some hundred products of numbers around 1
const TOLERANCE = 1e-5;

describe("gradient graphs on the CPU", () => {
  test.each(PROFILE_CASES)(
    "$operator $form for $profile computes what the reference computes",
    async (sample) => {
      expect(await errorOnRuntime(sample, cpuRuntime(), sample.profile)).toBeLessThan(TOLERANCE);
    },
  );
});
