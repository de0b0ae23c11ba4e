// Runs in Node only: it reads a file.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compileEvaluation } from "../../src/compile/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import { parameterTable } from "../../src/trainer/index.ts";

test("an LSTM is unrolled over more steps than a shape has dimensions", () => {
  const file = new URL("../vectors/torch-models/lstm.torchscript.onnx", import.meta.url);
  const model = readModel(new Uint8Array(readFileSync(file)));
  const dimensions = new Map([["input_ids_dynamic_axes_1", 48]]);

  const { labelling } = compileEvaluation(model, {
    ...{ parameters: parameterTable(model), loss: "cross-entropy", batchSize: 2, dimensions },
  });

  expect(labelling.classCount).toBe(2);
});
