// Runs in Node only: onnxruntime-node's own kernels are the witness.
import { describe, expect, test } from "vitest";
import { GRADIENT_CASES } from "../reference/cases.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { forwardErrorOnRuntime } from "../reference/run-on-runtime.ts";

describe("what a model's operators are written in", () => {
  test.each(GRADIENT_CASES.filter(({ alone }) => alone !== true))(
    "computes what ONNX Runtime's $operator $form computes",
    async (sample) => {
      expect(await forwardErrorOnRuntime(sample, cpuRuntime())).toBeLessThan(1e-5);
    },
  );
});
