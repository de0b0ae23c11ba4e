// Runs in Node only: onnxruntime-node is the runtime.
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { expect, test } from "vitest";
import { compileEvaluation, compileStep } from "../../src/compile/index.ts";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import { int, type Model } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { StepSession } from "../../src/runtime/index.ts";
import { parameterTable } from "../../src/trainer/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { node, normalTensors } from "../reference/small-model.ts";

const tensor = normalTensors(5);
const ones = (size: number): Tensor => Tensor.f32([size], new Float32Array(size).fill(1));

/** x · w, BatchNormalization, Dropout, · v */
function aModel({ trainingMode }: { trainingMode: boolean }): Model {
  const mode = trainingMode ? { training_mode: int(1) } : {};
  return {
    ...{ irVersion: 9, opset: 20, producer: "" },
    graph: {
      name: "",
      inputs: [{ name: "x", dtype: "f32", shape: ["batch", 4] }],
      outputs: [{ name: "y", dtype: "f32", shape: undefined }],
      initializers: new Map([
        ["w", tensor(4, 6)],
        ["scale", ones(6)],
        ["bias", Tensor.f32([6], new Float32Array(6))],
        ["mean", Tensor.f32([6], new Float32Array(6))],
        ["variance", ones(6)],
        ["ratio", Tensor.f32([], Float32Array.of(0.5))],
        ["training", new Tensor("bool", [], Uint8Array.of(trainingMode ? 1 : 0))],
        ["v", tensor(6, 3)],
      ]),
      nodes: [
        node("MatMul", ["x", "w"], "a"),
        node("BatchNormalization", ["a", "scale", "bias", "mean", "variance"], "b", mode),
        node("Dropout", ["b", "ratio", "training"], "c"),
        node("MatMul", ["c", "v"], "y"),
      ],
    },
  };
}

function optionsFor(model: Model, batchStatistics = false) {
  const parameters = parameterTable(model, { batchStatistics });
  return { parameters, loss: "cross-entropy", batchSize: 8 } as const;
}

async function train(model: Model, { seed, batchStatistics }: { seed: number; batchStatistics?: boolean }) {
  const options = optionsFor(model, batchStatistics);
  const compiled = compileStep(model, {
    ...options,
    optimizer: { name: "sgd", momentum: 0.9 },
    profile: "cpu",
  });
  const session = await StepSession.open(cpuRuntime(), compiled);
  const start = new ParameterSet(
    options.parameters.map(({ name }) => [name, model.graph.initializers.get(name)!]),
  );
  session.start(start, seed);
  const examples = seededRandom(9);
  const read: Dataset["read"] = (indices, into) => {
    const memory = floatsOf(into, 0);
    for (let index = 0; index < memory.length; index++) memory[index] = 3 + examples.normal();
    indices.forEach((_, row) => {
      into.labels[row] = row % 3;
    });
  };
  session.batch.fill(
    {
      count: 8,
      features: [{ name: "x", dtype: "f32", shape: [4] }],
      labelling: { kind: "classes", classCount: 3, shape: [] },
      read,
    },
    Uint32Array.from({ length: 8 }, (_, i) => i),
  );
  const losses = [await session.step(0.1), await session.step(0.1)];
  const parameters = await session.parameters();
  await session.close();
  return { losses, parameters };
}

const model = aModel({ trainingMode: true });

test("draws the masks of Dropout from the seed", async () => {
  const [first, again, other] = [
    await train(model, { seed: 1 }),
    await train(model, { seed: 1 }),
    await train(model, { seed: 2 }),
  ];

  expect(again.losses).toEqual(first.losses);
  expect(other.losses).not.toEqual(first.losses);
});

test("lets running statistics follow the data, as parameters of the job", async () => {
  const { parameters } = await train(model, { seed: 1 });

  expect(Math.hypot(...parameters.get("mean")!.f32)).toBeGreaterThan(0.1);
  expect(parameters.get("variance")!.f32).not.toEqual(ones(6).f32);
});

test("lets running statistics follow each batch that is finite, whatever the update that it belongs to", async () => {
  const options = { ...optionsFor(model), optimizer: { name: "sgd", momentum: 0 }, profile: "cpu" } as const;
  const compiled = compileStep(model, { ...options, gathers: true, skips: true });
  const session = await StepSession.open(cpuRuntime(), compiled);
  session.start(
    new ParameterSet(options.parameters.map(({ name }) => [name, model.graph.initializers.get(name)!])),
  );
  const take = async (first: number, closes: number): Promise<Record<string, Float32Array>> => {
    const examples = seededRandom(9);
    session.batch.fillWithZeros();
    session.batch.fill(
      {
        count: 8,
        features: [{ name: "x", dtype: "f32", shape: [4] }],
        labelling: { kind: "classes", classCount: 3, shape: [] },
        read: (_, into) => {
          const memory = floatsOf(into, 0);
          for (let index = 0; index < memory.length; index++) memory[index] = 3 + examples.normal();
          memory[0] = first;
        },
      },
      Uint32Array.from({ length: 8 }, (_, index) => index),
    );
    await session.step(0.1, closes);
    const parameters = await session.parameters();
    return { mean: parameters.get("mean")!.f32, variance: parameters.get("variance")!.f32 };
  };
  const start = { mean: new Float32Array(6), variance: ones(6).f32 };

  const [poisoned, overflowed] = [await take(Number.NaN, 0), await take(1e30, 0)];
  const closing = await take(3, 1);

  expect(poisoned).toEqual(start); // the loss is no number
  expect(overflowed).toEqual(start); // the loss is one, the variance is not
  expect(session.hasUpdated).toBe(false); // the gathered gradients hold the NaN of the first batch
  expect(Math.hypot(...closing["mean"]!)).toBeGreaterThan(0.1);
  await session.close();
});

test("keeps running statistics of a file in inference mode, unless the table says otherwise", async () => {
  const inference = aModel({ trainingMode: false });

  const kept = await train(inference, { seed: 1 });
  const followed = await train(inference, { seed: 1, batchStatistics: true });

  expect(kept.parameters.get("mean")).toBeUndefined();
  expect(Math.hypot(...followed.parameters.get("mean")!.f32)).toBeGreaterThan(0.1);
});

test("evaluates with running statistics and without Dropout", () => {
  const compiled = compileEvaluation(model, optionsFor(model));

  expect(compiled.masks).toEqual([]);
});
