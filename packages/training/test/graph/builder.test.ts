import { Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { GraphBuilder, numbersOf } from "../../src/graph/index.ts";
import { int, ints } from "../../src/onnx/index.ts";

const f32 = (...shape: number[]) => ({ dtype: "f32", shape }) as const;

describe("GraphBuilder", () => {
  test("computes chains of shape arithmetic while it builds", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(8, 3, 4, 5));

    // What PyTorch exports of x.view(x.size(0), -1): Shape, Gather, Unsqueeze, Concat, Reshape.
    const size = builder.add("Gather", [builder.add("Shape", [x]), builder.numbers("i64", 0)]);
    const list = builder.add("Unsqueeze", [size, builder.numbers("i64", [0])]);
    const shape = builder.add("Concat", [list, builder.numbers("i64", [-1])], {
      attributes: { axis: int(0) },
    });
    const y = builder.add("Reshape", [x, shape]);

    expect(builder.shape(y)).toEqual([8, 60]);
    expect(numbersOf(builder.constantOf(shape)!)).toEqual([8, -1]);
    expect(builder.nodes.map(({ node }) => node.operator)).toEqual(["Reshape"]);
  });

  test("folds arithmetic of constants with broadcasting", () => {
    const builder = new GraphBuilder();
    const matrix = builder.constant(Tensor.f32([2, 2], Float32Array.of(1, 2, 3, 4)));

    const sum = builder.add("Add", [matrix, builder.numbers("f32", [10, 20])]);

    expect(numbersOf(builder.constantOf(sum)!)).toEqual([11, 22, 13, 24]);
    expect(builder.nodes).toHaveLength(0);
  });

  test("divides integers as C does", () => {
    const builder = new GraphBuilder();

    const quotient = builder.add("Div", [builder.numbers("i64", [-7, 7]), builder.numbers("i64", [2, 2])]);

    expect(numbersOf(builder.constantOf(quotient)!)).toEqual([-3, 3]);
  });

  test("stores equal constants once", () => {
    const builder = new GraphBuilder();

    expect(builder.numbers("f32", 0.5)).toBe(builder.numbers("f32", 0.5));
    expect(builder.numbers("f32", [0.5])).not.toBe(builder.numbers("f32", 0.5));
  });

  test("leaves out nodes, outputs and constants that nothing needs", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(1, 1, 4, 4));
    builder.add("Exp", [builder.add("Mul", [x, builder.numbers("f32", 3)])]);
    const attributes = new Map([["kernel_shape", ints([2, 2])]]);
    const [pooled] = builder.addNode({
      name: "",
      operator: "MaxPool",
      inputs: [x],
      outputs: ["p", "i"],
      attributes,
    });

    const graph = builder.build("graph", new Map([["y", pooled!]]));

    expect(graph.nodes.map(({ operator, outputs }) => [operator, outputs])).toEqual([["MaxPool", ["y"]]]);
    expect(graph.initializers.size).toBe(0);
  });

  test("copies an input that is wanted as an output", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(2));

    const graph = builder.build("graph", new Map([["y", x]]));

    expect(graph.nodes.map(({ operator }) => operator)).toEqual(["Identity"]);
  });

  test("gives every value a name of its own", () => {
    const builder = new GraphBuilder();
    const x = builder.input("Relu", f32(2));

    const names = [x, builder.add("Relu", [x]), builder.add("Relu", [x]), builder.input("Relu#1", f32(2))];

    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    [
      "operands that do not broadcast",
      "Add",
      [
        [2, 3],
        [2, 4],
      ],
      "ERR_MODEL_SHAPE",
    ],
    [
      "matrices that do not fit",
      "Gemm",
      [
        [2, 3],
        [4, 5],
      ],
      "ERR_MODEL_SHAPE",
    ],
    ["a Gemm of a vector", "Gemm", [[3], [3, 4]], "ERR_MODEL_SHAPE"],
    [
      "a kernel larger than its input",
      "Conv",
      [
        [1, 1, 2, 2],
        [1, 1, 3, 3],
      ],
      "ERR_MODEL_SHAPE",
    ],
    [
      "weights of other channels",
      "Conv",
      [
        [1, 2, 4, 4],
        [1, 3, 3, 3],
      ],
      "ERR_MODEL_SHAPE",
    ],
    ["an operator that is not known", "LSTM", [[1], [1]], "ERR_MODEL_OPERATOR"],
    ["a name of every object", "constructor", [[1], [1]], "ERR_MODEL_OPERATOR"],
    ["a result of 2^40 elements", "Add", [[2 ** 20, 1], [2 ** 20]], "ERR_MODEL_TOO_LARGE"],
  ] as const)("refuses %s", (_, operator, shapes, code) => {
    const builder = new GraphBuilder();
    const inputs = shapes.map((shape, index) => builder.input(`x${index}`, f32(...shape)));

    expect(() => builder.add(operator, inputs)).toThrow(expect.objectContaining({ code }));
  });

  test("refuses pooling whose last window would end outside", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(1, 1, 5, 5));
    const attributes = { kernel_shape: ints([2, 2]), strides: ints([2, 2]), ceil_mode: int(1) };

    const add = () => builder.add("MaxPool", [x], { attributes });

    expect(add).toThrow(expect.objectContaining({ code: "ERR_MODEL_OPERATOR" }));
  });

  test("refuses a Reshape to more elements than there are", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(2, 3));

    const add = () => builder.add("Reshape", [x, builder.numbers("i64", [4, -1])]);

    expect(add).toThrow(expect.objectContaining({ code: "ERR_MODEL_SHAPE" }));
  });

  test("refuses shape arithmetic that overflows int64, and keeps the greatest int64", () => {
    const builder = new GraphBuilder();
    const greatest = builder.numbers("i64", [2 ** 63]);

    const add = () => builder.add("Mul", [greatest, builder.numbers("i64", [4])]);

    expect(numbersOf(builder.constantOf(greatest)!)).toEqual([2 ** 63]);
    expect(add).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_SHAPE", message: expect.stringContaining("int64") }),
    );
  });
});
