import { Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { GraphBuilder, importModel } from "../../src/graph/index.ts";
import { type Attribute, ints, type Model, type Node } from "../../src/onnx/index.ts";

function aNode(
  operator: string,
  inputs: readonly string[],
  attributes: readonly [string, Attribute][] = [],
): Node {
  return { name: operator, operator, inputs, outputs: ["y"], attributes: new Map(attributes) };
}

function aModel(node: Node, { opset = 20, shape = ["batch", 4] as (number | string)[] } = {}): Model {
  return {
    irVersion: 9,
    opset,
    producer: "",
    graph: {
      name: "",
      inputs: [{ name: "x", dtype: "f32", shape }],
      outputs: [{ name: "y", dtype: "f32", shape: undefined }],
      initializers: new Map([["w", Tensor.f32([4], new Float32Array(4))]]),
      nodes: [node],
    },
  };
}

const options = { batchSize: 8, parameters: ["w"] };

describe("importModel", () => {
  test("binds the batch and makes parameters inputs", () => {
    const builder = new GraphBuilder();

    const { input, output, parameters } = importModel(builder, aModel(aNode("Add", ["x", "w"])), options);

    expect(builder.shape(input)).toEqual([8, 4]);
    expect(builder.shape(output)).toEqual([8, 4]);
    expect(builder.constantOf(parameters.get("w")!)).toBeUndefined();
  });

  test("keeps initializers that are no parameters as constants", () => {
    const builder = new GraphBuilder();

    importModel(builder, aModel(aNode("Add", ["x", "w"])), { batchSize: 8, parameters: [] });

    expect(builder.constantOf("w")?.shape).toEqual([4]);
  });

  test("turns the axes attribute of opset 13 into an input", () => {
    const builder = new GraphBuilder();
    const node = aNode("ReduceMean", ["x"], [["axes", ints([1])]]);

    const { output } = importModel(builder, aModel(node, { opset: 13 }), options);

    expect(builder.shape(output)).toEqual([8, 1]);
    expect(builder.nodes[0]?.node.attributes.has("axes")).toBe(false);
  });

  test("sees through Dropout of a model exported for inference", () => {
    const builder = new GraphBuilder();

    const { input, output } = importModel(builder, aModel(aNode("Dropout", ["x"])), options);

    expect(output).toBe(input);
  });

  test("refuses a parameter that the model does not have", () => {
    const add = () =>
      importModel(new GraphBuilder(), aModel(aNode("Relu", ["x"])), { batchSize: 8, parameters: ["v"] });

    expect(add).toThrow(expect.objectContaining({ code: "ERR_MODEL_PARAMETERS" }));
  });

  test("refuses a second dimension without a size", () => {
    const model = aModel(aNode("Relu", ["x"]), { shape: ["batch", "width"] });

    expect(() => importModel(new GraphBuilder(), model, options)).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_SHAPE" }),
    );
  });
});
