import type { JobDefinition } from "@photinus/core/job";
import { elementCount, ParameterSet, Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { makeJob, trainedModel } from "../../src/job/index.ts";
import { benchModel } from "../../src/models/index.ts";
import { type Model, type Node, readModel, writeModel } from "../../src/onnx/index.ts";
import { node } from "../reference/small-model.ts";

const DEFINITION: JobDefinition = {
  name: "a job",
  purpose: "",
  workflow: { name: "fedavg", rounds: 1, minimumSites: 1, roundTimeoutMs: 1000, waitForSitesMs: 1000 },
  training: {
    loss: "cross-entropy",
    optimizer: { name: "sgd", learningRate: 0.1, momentum: 0 },
    batchSize: 4,
    localEpochs: 1,
  },
  dataName: "data",
  seed: 1,
  chunkBytes: 65_536,
  maximumExamples: 1000,
};

function aModel(nodes: readonly Node[], shape: readonly (number | string)[] = ["batch", 4]): Model {
  return {
    ...{ irVersion: 9, opset: 20, producer: "" },
    graph: {
      name: "",
      inputs: [{ name: "x", dtype: "f32", shape }],
      outputs: [{ name: "y", dtype: "f32", shape: undefined }],
      initializers: new Map(
        ["w", "idle"].map((name) => [name, Tensor.f32([4], Float32Array.of(1, 2, 3, 4))]),
      ),
      nodes,
    },
  };
}

describe("makeJob", () => {
  test("takes table and values out of the file", () => {
    const { model, parameters, initialParameters } = benchModel("mlp", 3);

    const { bundle, openDimensions } = makeJob(model, DEFINITION);

    expect(bundle.parameters).toEqual(parameters);
    for (const [name, { shape, f32 }] of initialParameters.entries()) {
      const taken = bundle.initialParameters.get(name);
      expect(taken?.shape).toEqual(shape);
      expect(f32.every((value, at) => taken?.f32[at] === value)).toBe(true);
    }
    expect(openDimensions).toEqual([]);
  });

  test("does not train what no gradient reaches", () => {
    const nodes = [node("Mul", ["x", "w"], "y"), node("Mul", ["x", "idle"], "unused")];

    const { bundle } = makeJob(writeModel(aModel(nodes)), DEFINITION);

    expect(bundle.parameters.map(({ name, trainable }) => [name, trainable])).toEqual([
      ["w", true],
      ["idle", false],
    ]);
  });

  test("refuses a model with an operator that has no gradient, and says how many reasons there are", () => {
    const nodes = [node("Loop", ["x"], "a"), node("NonZero", ["x"], "b"), node("Mul", ["a", "w"], "y")];

    expect(() => makeJob(writeModel(aModel(nodes)), DEFINITION)).toThrow(
      /^the model cannot be trained: .*Loop.*, and 1 more/,
    );
  });

  test("refuses a loss that does not fit the output", () => {
    const training = { ...DEFINITION.training, loss: { name: "cross-entropy", classAxis: 3 } } as const;

    expect(() => makeJob(benchModel("mlp", 1).model, { ...DEFINITION, training })).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_SHAPE" }),
    );
  });

  test("refuses a metric that says nothing of the model", () => {
    const metrics = [{ name: "confusion-matrix", classes: 9 }] as const;

    expect(() => makeJob(benchModel("mlp", 1).model, { ...DEFINITION, metrics })).toThrow(
      expect.objectContaining({ message: "confusion-matrix of 9 classes, the model has 10" }),
    );
  });

  test("leaves sizes open that each site's data sets", () => {
    const nodes = [node("Mul", ["x", "w"], "y")];

    expect(makeJob(writeModel(aModel(nodes, ["batch", "length", 4])), DEFINITION).openDimensions).toEqual([
      "length",
    ]);
  });
});

describe("trainedModel", () => {
  test("is the graph with other values", () => {
    const { model, parameters } = benchModel("mlp", 1);
    const values = parameters.map(({ name, shape }) => {
      return [name, Tensor.f32(shape, new Float32Array(elementCount(shape)).fill(0.5))] as const;
    });

    const { graph } = readModel(trainedModel(model, new ParameterSet(values)));

    expect(graph.nodes).toEqual(readModel(model).graph.nodes);
    expect(graph.initializers.get(parameters[0]?.name ?? "")?.f32[7]).toBe(0.5);
  });

  test("refuses parameters of another model", () => {
    const foreign = new ParameterSet([["w", Tensor.f32([1], new Float32Array(1))]]);

    expect(() => trainedModel(benchModel("mlp", 1).model, foreign)).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_PARAMETERS" }),
    );
  });
});
