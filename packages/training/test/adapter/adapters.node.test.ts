// Runs in Node only: it reads files, and onnxruntime-node is the runtime.
import { readFileSync } from "node:fs";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { type AdapterOptions, addAdapters, mergeAdapters } from "../../src/adapter/index.ts";
import { compileEvaluation } from "../../src/compile/index.ts";
import { int, type Model, readModel, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { checkParameterTable, LocalTrainer, parameterTable } from "../../src/trainer/index.ts";
import { moved } from "../reference/moved.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { node, normalTensors } from "../reference/small-model.ts";

const load = (file: string): Model =>
  readModel(new Uint8Array(readFileSync(new URL(`../vectors/torch-samples/${file}`, import.meta.url))));

/** Another value for every adapter, so that both matrices count. */
function drawn(adapters: ParameterSet): ParameterSet {
  const random = seededRandom(4);
  return new ParameterSet(
    adapters.entries().map(([name, { shape, f32 }]) => [
      name,
      Tensor.f32(
        shape,
        f32.map(() => 0.3 * random.normal()),
      ),
    ]),
  );
}

const BATCH = 4;

/** What the model says of one batch. */
async function outputOf(model: Model, adapters: ParameterSet): Promise<Float32Array> {
  const parameters = parameterTable(model);
  const compiled = compileEvaluation(model, {
    ...{ parameters, loss: "cross-entropy", batchSize: BATCH, withOutput: true },
    dimensions: new Map([["seq", 5]]),
  });
  const session = await cpuRuntime().open(compiled.model, []);
  const random = seededRandom(8);
  const feeds = [...compiled.inputs, compiled.labels, compiled.weights].map(({ name, dtype, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Array.from({ length: count }, () => random.below(7));
    const values =
      dtype === "i64"
        ? BigInt64Array.from(numbers, BigInt)
        : dtype === "i32"
          ? Int32Array.from(numbers)
          : Float32Array.from(numbers, (number) => number / 7);
    return [name, cpuRuntime().tensor(values, shape)] as const;
  });
  const fed = [...compiled.frozen].map(([name, port]) => {
    const tensor = adapters.get(name) ?? model.graph.initializers.get(name)!;
    return [port.name, cpuRuntime().tensor(tensor.f32, port.shape)] as const;
  });
  const results = await session.run(Object.fromEntries([...feeds, ...fed]));
  const output = new Float32Array(results[compiled.output!.name]!.data as Float32Array);
  await session.close();
  return output;
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, index) => value - b[index]!)) / Math.hypot(...b);
}

const FILES = [
  ["mlp.dynamo-op18-dyn.onnx", 2],
  ["mlp.legacy-op20-dyn-fold.onnx", 2],
  ["gpt2_mini.legacy-op20-dyn-fold.onnx", 3],
] as const;

describe.each(FILES)("%s with adapters", (file, rank) => {
  const model = load(file);
  const options: AdapterOptions = { rank, alpha: 2 * rank };
  const { model: adapted, parameters, initialParameters } = addAdapters(model, options, 5);

  test("has only them as parameters, of low rank, and survives its file", () => {
    const again = readModel(writeModel(adapted));

    expect(() => checkParameterTable(again, parameters)).not.toThrow();
    expect(parameters.length).toBeGreaterThan(0);
    expect(parameters.every(({ name, shape }) => /\.lora_[AB]$/.test(name) && shape.includes(rank))).toBe(
      true,
    );
  });

  test("computes what it did before, until they are trained", async () => {
    const output = await outputOf(adapted, initialParameters);

    expect(distance(output, await outputOf(model, new ParameterSet([])))).toBeLessThan(1e-6);
  });

  test("computes what the merged model does, whatever they are", async () => {
    const adapters = drawn(initialParameters);
    const output = await outputOf(adapted, adapters);

    const merged = mergeAdapters(model, adapters, options);

    expect(distance(output, await outputOf(merged, new ParameterSet([])))).toBeLessThan(1e-5);
    expect(distance(output, await outputOf(model, new ParameterSet([])))).toBeGreaterThan(1e-2);
  });
});

const tensor = normalTensors(2);
/** An embedding that is the head as well, and a matrix in between that only multiplies. */
const tied: Model = {
  ...{ irVersion: 9, opset: 20, producer: "test" },
  graph: {
    name: "tied",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", 6] }],
    outputs: [{ name: "y", dtype: "f32", shape: undefined }],
    initializers: new Map([
      ["between", tensor(6, 6)],
      ["embedding", tensor(7, 6)],
      ["bias", tensor(7)],
      ["id", new Tensor("i64", [1], new Uint8Array(BigInt64Array.of(3n).buffer))],
    ]),
    nodes: [
      node("Gather", ["embedding", "id"], "row"),
      node("MatMul", ["x", "between"], "h"),
      node("Add", ["h", "row"], "sum"),
      node("Gemm", ["sum", "embedding", "bias"], "y", { transB: int(1) }),
    ],
  },
};

describe("which weights", () => {
  test("can have an adapter: those that only multiply", () => {
    const { parameters } = addAdapters(tied, { rank: 2 }, 1);

    expect(parameters).toEqual([
      { name: "between.lora_A", dtype: "f32", shape: [6, 2], trainable: true },
      { name: "between.lora_B", dtype: "f32", shape: [2, 6], trainable: true },
    ]);
  });

  test.each([
    ["that is an embedding, too", { rank: 2, targets: ["embedding"] }, /embedding is not only a matrix/],
    ["that is a vector", { rank: 2, targets: ["bias"] }, /bias is not only/],
    ["that is not there", { rank: 2, targets: ["betw*", "nothing"] }, /named nothing/],
  ])("refuses a weight %s", (_, options, message) => {
    expect(() => addAdapters(tied, options, 1)).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_PARAMETERS", message: expect.stringMatching(message) }),
    );
  });

  test.each([{ rank: 0 }, { rank: 1.5 }, { rank: 1025 }, { rank: 2, alpha: 0 }])("refuses %j", (options) => {
    expect(() => addAdapters(tied, options, 1)).toThrow(RangeError);
  });

  test("refuses to merge adapters of another rank", () => {
    const { initialParameters } = addAdapters(tied, { rank: 2 }, 1);

    expect(() => mergeAdapters(tied, initialParameters, { rank: 3 })).toThrow(RangeError);
  });
});

test("the seed decides the values: uniform in ±1 / √in, and zeros", () => {
  const valuesOf = (seed: number) => {
    const { initialParameters } = addAdapters(tied, { rank: 2 }, seed);
    return [...initialParameters.get("between.lora_A")!.f32, ...initialParameters.get("between.lora_B")!.f32];
  };

  expect(valuesOf(1)).toEqual(valuesOf(1));
  expect(valuesOf(1)).not.toEqual(valuesOf(2));
  expect(Math.max(...valuesOf(1).map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(6));
  expect(
    valuesOf(1)
      .slice(12)
      .every((value) => value === 0),
  ).toBe(true);
});

test("a trainer exchanges the adapters only, and they learn", async () => {
  const { model, parameters, initialParameters } = addAdapters(tied, { rank: 2 }, 1);
  const { signal } = new AbortController();
  const training = {
    count: 16,
    features: [{ name: "x", dtype: "f32", shape: [6] }],
    labelling: { kind: "classes", classCount: 7, shape: [] },
    read: (
      indices: Uint32Array,
      into: { features: readonly unknown[]; labels: Int32Array | Float32Array },
    ) => {
      const [memory] = into.features;
      indices.forEach((index, row) => {
        for (let k = 0; k < 6; k++) (memory as Float32Array)[6 * row + k] = Math.sin(index * 7 + k);
        into.labels[row] = index % 3;
      });
    },
  } as const;
  const trainer = new LocalTrainer({
    runtimes: { candidates: [{ device: "cpu", find: async () => cpuRuntime() }], take: "first" },
    data: async () => ({ training, heldOut: training }),
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }), yield: async () => undefined },
  });
  const optimizer = { name: "adam", learningRate: 0.05 } as const;
  const definition = { loss: "cross-entropy", optimizer, batchSize: 8, localEpochs: 20 } as const;
  await trainer.prepare(
    { jobId: "job", dataName: "x", training: definition, model: writeModel(model), parameters },
    { signal },
  );

  const before = await trainer.evaluate(initialParameters, { signal });
  const { delta } = await trainer.train({ parameters: initialParameters, seed: 1 }, { signal });

  expect(delta.names()).toEqual(["between.lora_A", "between.lora_B"]);
  const after = await trainer.evaluate(moved(initialParameters, delta), { signal });
  expect(after!.loss).toBeLessThan(0.5 * before!.loss);
  await trainer.close();
});
