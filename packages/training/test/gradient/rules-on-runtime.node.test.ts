// Runs in Node only: onnxruntime-node is the runtime. `npm run verify:gpu` does the same on the devices of a GPU host.
import { describe, expect, test } from "vitest";
import type { Profile } from "../../src/gradient/index.ts";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { errorOnRuntime } from "../reference/run-on-runtime.ts";

const PROFILES: readonly Profile[] = ["cpu", "cuda", "wasm", "webgpu"];

// float32: sums of at most some hundred products of numbers around 1
const TOLERANCE = 1e-5;

describe.each(PROFILES)("gradient graphs for %s on the CPU", (profile) => {
  test.each(GRADIENT_CASES)("$operator $form computes what the reference computes", async (sample) => {
    expect(await errorOnRuntime(sample, cpuRuntime(), profile)).toBeLessThan(TOLERANCE);
  });
});
