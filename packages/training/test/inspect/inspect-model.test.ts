import { Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { inspectModel } from "../../src/inspect/index.ts";
import type { Model, Node } from "../../src/onnx/index.ts";

const node = (operator: string, inputs: readonly string[], output: string): Node => ({
  ...{ name: `node/${output}`, operator, inputs, outputs: [output], attributes: new Map() },
});

function aModel(nodes: readonly Node[], shape: (number | string)[] = ["batch", 4]): Model {
  const half = new Tensor("f16", [4], new Uint8Array(8));
  return {
    ...{ irVersion: 9, opset: 20, producer: "" },
    graph: {
      name: "",
      inputs: [{ name: "x", dtype: "f32", shape }],
      outputs: [{ name: "y", dtype: "f32", shape: undefined }],
      initializers: new Map([
        ["w", Tensor.f32([4], new Float32Array(4))],
        ["half", half],
      ]),
      nodes,
    },
  };
}

describe("inspectModel", () => {
  test("finds a model trainable whose parameters the output depends on", () => {
    const report = inspectModel(aModel([node("Mul", ["x", "w"], "a"), node("Relu", ["a"], "y")]));

    expect(report.trainable).toBe(true);
    expect(report.operators).toEqual([
      { operator: "Mul", count: 1 },
      { operator: "Relu", count: 1 },
    ]);
    expect(report.parameters.map(({ name, trainable }) => [name, trainable])).toEqual([
      ["w", true],
      ["half", false],
    ]);
  });

  test("tells every blocker, but not what only depends on one", () => {
    const report = inspectModel(
      aModel([
        node("Loop", ["x"], "a"),
        node("Relu", ["a"], "b"),
        node("NonZero", ["x"], "c"),
        node("Mul", ["b", "w"], "y"),
      ]),
    );

    expect(report.trainable).toBe(false);
    expect(report.blockers.map(({ node, operator, code }) => [node, operator, code])).toEqual([
      ["node/a", "Loop", "ERR_MODEL_OPERATOR"],
      ["node/c", "NonZero", "ERR_MODEL_OPERATOR"],
    ]);
  });

  test("tells a dimension that is not fixed", () => {
    const report = inspectModel(aModel([node("Mul", ["x", "w"], "y")], ["batch", "width"]));

    expect(report.blockers).toMatchObject([{ node: "", code: "ERR_MODEL_SHAPE" }]);
    expect(report.blockers[0]?.reason).toContain("width");
  });

  test("tells that no gradient reaches a parameter", () => {
    const report = inspectModel(aModel([node("Sign", ["w"], "a"), node("Mul", ["x", "a"], "y")]));

    expect(report.parameters[0]?.reason).toContain("no part");
    expect(report.blockers).toMatchObject([{ code: "ERR_MODEL_PARAMETERS" }]);
  });
});
