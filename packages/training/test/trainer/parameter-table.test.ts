import { describe, expect, test } from "vitest";
import { benchModel } from "../../src/models/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import { checkParameterTable, parameterTable } from "../../src/trainer/index.ts";

const { model: bytes, parameters } = benchModel("cnn", 1);
const model = readModel(bytes);

describe("the parameter table", () => {
  test("of a model is its weights and biases in the order of the file", () => {
    expect(parameterTable(model)).toEqual(parameters);
  });

  test("of a job may leave some parameters untrained", () => {
    const frozen = parameters.map((entry, index) => ({ ...entry, trainable: index > 1 }));

    expect(() => checkParameterTable(model, frozen)).not.toThrow();
  });

  test.each([
    ["lacks a parameter", parameters.slice(1)],
    ["has one more", [...parameters, { ...parameters[0]!, name: "other" }]],
    [
      "names another parameter",
      parameters.map((entry, index) => (index === 0 ? { ...entry, name: "other" } : entry)),
    ],
    ["has another order", parameters.toReversed()],
    ["has another shape", parameters.map((entry) => ({ ...entry, shape: [...entry.shape, 1] }))],
    ["has another type", parameters.map((entry) => ({ ...entry, dtype: "f64" as const }))],
    ["trains nothing", parameters.map((entry) => ({ ...entry, trainable: false }))],
  ])("is refused when it %s", (_, table) => {
    expect(() => checkParameterTable(model, table)).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_PARAMETERS" }),
    );
  });
});
