import { Tensor } from "@photinus/core/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { benchModel } from "../../src/models/index.ts";
import { type Attribute, type Model, readModel, writeModel } from "../../src/onnx/index.ts";

const attributes: [string, Attribute][] = [
  ["int", { kind: "int", value: -3 }],
  ["large", { kind: "int", value: Number.MAX_SAFE_INTEGER }],
  ["float", { kind: "float", value: 0.25 }],
  ["text", { kind: "text", value: "SAME_UPPER" }],
  ["ints", { kind: "ints", value: [0, -1, 300] }],
  ["floats", { kind: "floats", value: [1.5, -2] }],
  ["texts", { kind: "texts", value: ["a", "ä"] }],
  ["tensor", { kind: "tensor", value: new Tensor("i64", [1], new Uint8Array(8).fill(1)) }],
];

const model: Model = {
  irVersion: 9,
  opset: 20,
  producer: "test",
  graph: {
    name: "graph",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", 2, undefined] }],
    outputs: [{ name: "y", dtype: "bool", shape: [] }],
    initializers: new Map([["w", Tensor.f32([2, 2], Float32Array.of(1, 2, 3, 4))]]),
    nodes: [
      {
        name: "n",
        operator: "Anything",
        inputs: ["x", "", "w"],
        outputs: ["y"],
        attributes: new Map(attributes),
      },
    ],
  },
};

test("a model that was written is read as it was", () => {
  expect(readModel(writeModel(model))).toEqual(model);
});

test("the same model gives the same bytes", () => {
  expect(writeModel(model)).toEqual(writeModel(readModel(writeModel(model))));
});

test("tensors of a file are views of it where the memory is aligned", () => {
  const bytes = benchModel("mlp", 1).model;

  const views = [...readModel(bytes).graph.initializers.values()].filter(
    ({ data }) => data.buffer === bytes.buffer,
  );

  for (const { data } of views) expect(data.byteOffset % 4).toBe(0);
});

test("any integer attribute survives", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const node = {
        ...model.graph.nodes[0]!,
        attributes: new Map([["i", { kind: "int", value } as const]]),
      };
      const written = writeModel({ ...model, graph: { ...model.graph, nodes: [node] } });

      expect(readModel(written).graph.nodes[0]?.attributes.get("i")).toEqual({ kind: "int", value });
    }),
  );
});

test("initializers that an old file also lists as inputs are no inputs", () => {
  const { graph } = model;
  const inputs = [...graph.inputs, { name: "w", dtype: "f32", shape: [2, 2] } as const];

  const read = readModel(writeModel({ ...model, graph: { ...graph, inputs } }));

  expect(read.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
});
