// Runs in Node only: onnxruntime-node is the runtime.
import { type ParameterDescriptor, ParameterSet, Tensor } from "@photinus/core/tensor";
import { expect, test } from "vitest";
import type { Dataset, Feature } from "../../src/data/index.ts";
import { int, type Model, writeModel } from "../../src/onnx/index.ts";
import { LocalTrainer } from "../../src/trainer/index.ts";
import { moved } from "../reference/moved.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";
import { node, normalTensors } from "../reference/small-model.ts";

const { signal } = new AbortController();
const [TOKENS, LENGTH, WIDTH] = [5, 4, 6];
const tensor = normalTensors(23);

/** Says the next token from the token and whether it is masked: int64 ids and a float mask of any length, as transformers do. */
const MODEL: Model = {
  ...{ irVersion: 9, opset: 20, producer: "test" },
  graph: {
    name: "tokens",
    inputs: [
      { name: "input_ids", dtype: "i64", shape: ["batch", "sequence"] },
      { name: "attention_mask", dtype: "f32", shape: ["batch", "sequence"] },
    ],
    outputs: [{ name: "logits", dtype: "f32", shape: ["batch", "sequence", TOKENS] }],
    initializers: new Map([
      ["embedding", tensor(TOKENS, WIDTH)],
      ["head", tensor(WIDTH, TOKENS)],
      ["axis", new Tensor("i64", [1], new Uint8Array(BigInt64Array.of(2n).buffer))],
    ]),
    nodes: [
      node("Gather", ["embedding", "input_ids"], "embedded", { axis: int(0) }),
      node("Unsqueeze", ["attention_mask", "axis"], "mask"),
      node("Mul", ["embedded", "mask"], "masked"),
      node("MatMul", ["masked", "head"], "logits"),
    ],
  },
};
const table: readonly ParameterDescriptor[] = [
  { name: "embedding", dtype: "f32", shape: [TOKENS, WIDTH], trainable: true },
  { name: "head", dtype: "f32", shape: [WIDTH, TOKENS], trainable: true },
];
const initial = new ParameterSet(table.map(({ name }) => [name, MODEL.graph.initializers.get(name)!]));

/** Sequences that count up modulo the tokens; the last one or two places are padding, whose label is -100. */
function sequences(count: number, features: readonly Feature[] = FEATURES): Dataset {
  return {
    count,
    features,
    labelling: { kind: "classes", classCount: TOKENS, shape: [LENGTH] },
    read: (indices, into) => {
      const at = (name: string) => into.features[features.findIndex((feature) => feature.name === name)];
      const [ids, mask] = [at("input_ids"), at("attention_mask")];
      if (!(ids instanceof BigInt64Array) || !(mask instanceof Float32Array)) throw new TypeError("types");
      indices.forEach((index, row) => {
        const length = LENGTH - 1 - (index % 2);
        for (let place = 0; place < LENGTH; place++) {
          const offset = row * LENGTH + place;
          ids[offset] = BigInt((index + place) % TOKENS);
          mask[offset] = place < length ? 1 : 0;
          into.labels[offset] = place < length ? (index + place + 1) % TOKENS : -100;
        }
      });
    },
  };
}

const FEATURES: readonly Feature[] = [
  { name: "attention_mask", dtype: "f32", shape: [LENGTH] },
  { name: "input_ids", dtype: "i64", shape: [LENGTH] },
];

async function prepared(training: Dataset, batchSize = 8): Promise<LocalTrainer> {
  const trainer = new LocalTrainer({
    runtimes: { candidates: [{ device: "cpu", find: async () => cpuRuntime() }], take: "first" },
    data: async () => ({ training, heldOut: training }),
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }), yield: async () => undefined },
  });
  const job = {
    ...{ jobId: "job", dataName: "sequences", model: writeModel(MODEL), parameters: table },
    training: {
      loss: { name: "cross-entropy", ignoredLabel: -100 },
      optimizer: { name: "adam", learningRate: 0.1 },
      ...{ batchSize, localEpochs: 20 },
    },
  } as const;
  await trainer.prepare(job, { signal });
  return trainer;
}

test("a model of int64 tokens and a mask learns the next token, whatever the order of the features", async () => {
  const trainer = await prepared(sequences(20));

  const { delta, loss } = await trainer.train({ parameters: initial, seed: 1 }, { signal });

  const after = await trainer.evaluate(moved(initial, delta), { signal });
  expect(loss).toBeLessThan(1);
  expect(after).toMatchObject({ accuracy: 1, exampleCount: 20 });
  await trainer.close();
});

test("counts tokens, not places: the padding of sequences and of the last batch leave no trace", async () => {
  const [padded, exact] = [await prepared(sequences(5), 8), await prepared(sequences(5), 5)];

  const [a, b] = [await padded.evaluate(initial, { signal }), await exact.evaluate(initial, { signal })];

  // 5 sequences have 3, 2, 3, 2, 3 tokens with a label
  const expected = meanLoss(sequences(5));
  expect(a!.loss).toBeCloseTo(b!.loss, 6);
  expect(a!.loss).toBeCloseTo(expected, 5);
  expect(a!.accuracy).toBe(b!.accuracy);
  await padded.close();
  await exact.close();
});

/** In plain numbers. */
function meanLoss(dataset: Dataset): number {
  const [embedding, head] = [initial.get("embedding")!.f32, initial.get("head")!.f32];
  const into = {
    features: [new Float32Array(5 * LENGTH), new BigInt64Array(5 * LENGTH)],
    labels: new Int32Array(5 * LENGTH),
  };
  dataset.read(
    Uint32Array.from({ length: 5 }, (_, index) => index),
    into,
  );
  const losses = [...into.labels].flatMap((label, place) => {
    if (label === -100) return [];
    const id = Number(into.features[1]![place]);
    const logits = Array.from({ length: TOKENS }, (_, token) =>
      Array.from({ length: WIDTH }, (__, k) => embedding[id * WIDTH + k]! * head[k * TOKENS + token]!).reduce(
        (sum, product) => sum + product,
      ),
    );
    return [Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label]!];
  });
  expect(losses).toHaveLength(13);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

test.each([
  [
    "a feature that the model does not take",
    [{ ...FEATURES[0]!, name: "mask" }, FEATURES[1]!],
    /no input mask/,
  ],
  ["a feature too few", [FEATURES[1]!], /1 features.*2 inputs/],
  ["another type", [FEATURES[0]!, { ...FEATURES[1]!, dtype: "i32" } as const], /input_ids i32/],
  ["another length", [{ ...FEATURES[0]!, shape: [LENGTH + 1] }, FEATURES[1]!], /\[5\]/],
])("refuses data with %s", async (_, features, message) => {
  await expect(prepared(sequences(4, features))).rejects.toMatchObject({
    code: "ERR_MODEL_SHAPE",
    message: expect.stringMatching(message),
  });
});
