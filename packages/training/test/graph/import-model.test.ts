import { Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { GraphBuilder, importModel } from "../../src/graph/index.ts";
import { type Attribute, int, ints, type Model, type Node } from "../../src/onnx/index.ts";

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

  test("takes the branch of an If whose condition is constant", () => {
    const builder = new GraphBuilder();
    const branch = (operator: string): Attribute => ({
      kind: "graph",
      value: {
        ...{ name: operator, inputs: [], initializers: new Map() },
        outputs: [{ name: "z", dtype: "f32", shape: undefined }],
        nodes: [{ ...aNode(operator, ["x"]), outputs: ["z"] }],
      },
    });
    const branches = { then_branch: branch("Relu"), else_branch: branch("Tanh") };
    const model = aModel({ ...aNode("If", ["condition"]), attributes: new Map(Object.entries(branches)) });
    const condition = new Tensor("bool", [], Uint8Array.of(0));
    const graph = {
      ...model.graph,
      initializers: new Map([...model.graph.initializers, ["condition", condition]]),
    };

    importModel(builder, { ...model, graph }, options);

    expect(builder.nodes.map(({ node }) => node.operator)).toEqual(["Tanh"]);
  });

  test("refuses an If whose condition depends on the data, and says what to do", () => {
    const model = aModel(aNode("If", ["x"]));

    expect(() => importModel(new GraphBuilder(), model, options)).toThrow(/If.*condition.*torch\.where/);
  });

  test("resolves sequences whose elements are known", () => {
    const builder = new GraphBuilder();
    const model = aModel(aNode("Relu", ["part"]));
    const one = new Tensor("i64", [], new Uint8Array(BigInt64Array.of(1n).buffer));
    const two = new Tensor("i64", [], new Uint8Array(BigInt64Array.of(2n).buffer));
    const split = { ...aNode("SplitToSequence", ["x", "two"], [["axis", int(1)]]), outputs: ["parts"] };
    const pick = { ...aNode("SequenceAt", ["parts", "one"]), outputs: ["part"] };
    const initializers = new Map([...model.graph.initializers, ["one", one], ["two", two]]);
    const nodes = [split, pick, ...model.graph.nodes];

    const { output } = importModel(
      builder,
      { ...model, graph: { ...model.graph, initializers, nodes } },
      options,
    );

    expect(builder.shape(output)).toEqual([8, 2]);
    expect(builder.nodes.map(({ node }) => node.operator)).toEqual(["Split", "Relu"]);
  });

  test("binds other named dimensions to the sizes that are given", () => {
    const builder = new GraphBuilder();
    const model = aModel(aNode("Relu", ["x"]), { shape: ["batch", "width"] });

    const { input } = importModel(builder, model, { ...options, dimensions: new Map([["width", 3]]) });

    expect(builder.shape(input)).toEqual([8, 3]);
  });

  test("refuses a parameter of integers", () => {
    const model = aModel(aNode("Add", ["x", "w"]));
    const initializers = new Map([["w", new Tensor("i64", [1], new Uint8Array(8))]]);

    const add = () =>
      importModel(new GraphBuilder(), { ...model, graph: { ...model.graph, initializers } }, options);

    expect(add).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_PARAMETERS", message: expect.stringContaining("i64") }),
    );
  });

  test.each([
    ["GRU", /GRU/],
    ["Resize", /Resize/],
    ["Attention", /Attention/],
    ["Einsum", /Einsum/],
    ["LayerNormalization", /LayerNormalization/],
    ["CenterCropPad", /CenterCropPad.*README/],
  ])("names the node when a %s does not fit", (operator, message) => {
    const add = () =>
      importModel(new GraphBuilder(), aModel(aNode(operator, ["x"], [["axis", int(9)]])), options);

    expect(add).toThrow(message);
  });
});
