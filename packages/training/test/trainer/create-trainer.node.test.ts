// Runs in Node only: onnxruntime-node is the runtime.
import type { Clock } from "@photinus/core/platform";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { arrayDataset } from "../../src/data/index.ts";
import { readModel, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { type CreateTrainerOptions, createTrainer, parameterTable } from "../../src/trainer/index.ts";
import { LINEAR } from "../reference/linear-model.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const clock: Clock = {
  now: () => 0,
  after: () => ({ cancel: () => undefined }),
  yield: async () => undefined,
};
const random = seededRandom(6);
const TRUTH = [1, -2, 0.5, 3, -1, 2];

/** Numbers and what a linear model makes of them, up to a little noise. */
function numbers(count: number) {
  const x = Float32Array.from({ length: 3 * count }, () => random.normal());
  const y = Float32Array.from({ length: 2 * count }, (_, at) => {
    const row = 3 * Math.floor(at / 2);
    const exact = [0, 1, 2].reduce((sum, k) => sum + x[row + k]! * TRUTH[2 * k + (at % 2)]!, 0.5);
    return exact + 0.01 * random.normal();
  });
  return arrayDataset("numbers", {
    features: [{ name: "x", shape: [3], values: x }],
    labels: { values: y, shape: [2] },
  });
}

const [training, heldOut] = [numbers(200), numbers(50)];

const aTrainer = (changes: Partial<CreateTrainerOptions> = {}) =>
  createTrainer({
    model: writeModel(LINEAR),
    ...{ loss: "huber", optimizer: { name: "adam", learningRate: 0.05 }, batchSize: 32 },
    ...{ data: training, runtimes: [cpuRuntime()], clock, metrics: [{ name: "r2" }] },
    ...changes,
  });

describe("a trainer of one's own", () => {
  test("learns a regression, measures R² on what it has not seen, and saves the model", async () => {
    const trainer = await aTrainer();

    const before = await trainer.evaluate(heldOut);
    await trainer.train(20);
    const after = await trainer.evaluate(heldOut);
    const saved = readModel(await trainer.save());

    expect(trainer.device).toBe("cpu");
    expect(before.metrics[0]!.value).toBeLessThan(0.1);
    expect(after).toMatchObject({ accuracy: 0, exampleCount: 50 });
    expect(after.metrics[0]!.value).toBeGreaterThan(0.99);
    saved.graph.initializers.get("weight")!.f32.forEach((value, index) => {
      expect(value).toBeCloseTo(TRUTH[index]!, 1);
    });
    await trainer.dispose();
  });

  test("goes on where it ended: two calls are one, and a saved model begins where it was saved", async () => {
    const [once, twice] = [await aTrainer(), await aTrainer()];

    await once.train(2);
    await twice.train(1);
    await twice.train(1);
    const parameters = await once.parameters();
    const loaded = await aTrainer({ model: await once.save() });

    expect((await twice.parameters()).get("weight")).toEqual(parameters.get("weight"));
    expect((await loaded.parameters()).get("weight")).toEqual(parameters.get("weight"));
    await Promise.all([once, twice, loaded].map((trainer) => trainer.dispose()));
  });

  test("stops when it is told to, and forgets what it learned when parameters are loaded", async () => {
    const trainer = await aTrainer();
    const start = await trainer.parameters();
    const reason = new Error("enough");

    await expect(trainer.train(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await trainer.train(1);
    await trainer.load(start);

    expect((await trainer.parameters()).get("bias")).toEqual(start.get("bias"));
    await trainer.dispose();
  });

  test("keeps what is not trained as it was loaded, and measures and saves with it", async () => {
    const table = parameterTable(LINEAR).map((row) => ({ ...row, trainable: row.name === "weight" }));
    const trainer = await aTrainer({ parameters: table });
    const bias = Tensor.f32([2], Float32Array.of(7, -7));
    const inFile = await trainer.evaluate(heldOut);

    await trainer.load(
      new ParameterSet([
        ["weight", Tensor.f32([3, 2], new Float32Array(6))],
        ["bias", bias],
      ]),
    );
    const loaded = await trainer.evaluate(heldOut);
    await trainer.train(1);
    const [after, saved] = [await trainer.parameters(), readModel(await trainer.save())];

    expect(loaded.loss).toBeGreaterThan(2 * inFile.loss);
    expect(after.get("bias")).toEqual(bias);
    expect(saved.graph.initializers.get("bias")!.f32).toEqual(bias.f32);
    await trainer.dispose();
  });

  test("refuses to be measured on labels of another shape", async () => {
    const trainer = await aTrainer();
    const triples = arrayDataset("triples", {
      features: [{ name: "x", shape: [3], values: new Float32Array(6) }],
      labels: { values: new Float32Array(6), shape: [3] },
    });

    await expect(trainer.evaluate(triples)).rejects.toMatchObject({ code: "ERR_MODEL_SHAPE" });
    await trainer.dispose();
  });

  test("refuses a metric that says nothing of the model", async () => {
    await expect(aTrainer({ metrics: [{ name: "confusion-matrix" }] })).rejects.toMatchObject({
      code: "ERR_MODEL_SHAPE",
      message: expect.stringContaining("single numbers"),
    });
  });

  test("refuses data that the model does not take", async () => {
    const data = arrayDataset("pairs", {
      features: [{ name: "x", shape: [2], values: new Float32Array(4) }],
      labels: { values: new Float32Array(4), shape: [2] },
    });

    await expect(aTrainer({ data })).rejects.toMatchObject({ code: "ERR_MODEL_SHAPE" });
  });
});

describe("a data set over arrays", () => {
  const x = { name: "x", shape: [2], values: new Float32Array(4) };
  const classes = { values: Int32Array.of(0, 2), classCount: 3 };

  test.each([
    [
      "too few elements",
      { features: [{ ...x, values: new Float32Array(3) }], labels: classes },
      /3 elements of x, expected 4/,
    ],
    [
      "a number that is none",
      { features: [{ ...x, values: Float32Array.of(0, 1, Number.NaN, 0) }], labels: classes },
      /element 2 of x is NaN/,
    ],
    [
      "a label that is no class",
      { features: [x], labels: { ...classes, classCount: 2 } },
      /label 1 is 2, expected 0 to 1/,
    ],
    [
      "class ids without their number",
      { features: [x], labels: { values: classes.values } },
      /need the number of classes/,
    ],
    [
      "classes in float32",
      { features: [x], labels: { values: new Float32Array(2), classCount: 2 } },
      /must be int32/,
    ],
    [
      "a label in halves",
      { features: [x], labels: { values: new Float32Array(3), shape: [2] } },
      /3 labels of shape/,
    ],
  ])("refuses %s", (_, given, message) => {
    expect(() => arrayDataset("x", given)).toThrow(
      expect.objectContaining({ code: "ERR_DATA_MALFORMED", message: expect.stringMatching(message) }),
    );
  });

  test("takes the label that does not count, and copies rows of every type", () => {
    const dataset = arrayDataset("mixed", {
      features: [
        { name: "ids", shape: [2], values: BigInt64Array.of(1n, 2n, 3n, 4n) },
        { name: "mask", shape: [], values: Uint8Array.of(0, 1) },
      ],
      labels: { ...classes, values: Int32Array.of(-100, 1), ignoredLabel: -100 },
    });
    const into = {
      features: [new BigInt64Array(4), new Uint8Array(2)],
      labels: new Int32Array(2),
    };

    dataset.read(Uint32Array.of(1, 0), into);

    expect(dataset.features.map(({ dtype }) => dtype)).toEqual(["i64", "bool"]);
    expect([...into.features[0]!]).toEqual([3n, 4n, 1n, 2n]);
    expect([...into.features[1]!]).toEqual([1, 0]);
    expect([...into.labels]).toEqual([1, -100]);
  });
});
