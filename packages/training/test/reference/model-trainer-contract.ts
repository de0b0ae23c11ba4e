import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { afterEach, describe, expect, test } from "vitest";
import { arrayDataset, type Dataset } from "../../src/data/index.ts";
import { type Model, readModel, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import type { CallOptions, ModelTrainer, ModelTrainerOptions } from "../../src/trainer/index.ts";
import { node } from "./small-model.ts";

/** Opens a trainer where it is to be tested. */
export type OpenTrainer = (
  options: ModelTrainerOptions & Pick<CallOptions, "signal">,
) => Promise<ModelTrainer>;

const random = seededRandom(31);
const TRUTH = [1, -2, 0.5, 3, -1, 2];

/** x · weight + bias, of a width that the file only names. */
const MODEL: Model = {
  ...{ irVersion: 9, opset: 20, producer: "test" },
  graph: {
    name: "linear",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", "width"] }],
    outputs: [{ name: "y", dtype: "f32", shape: ["batch", 2] }],
    initializers: new Map([
      ["weight", Tensor.f32([3, 2], new Float32Array(6))],
      ["bias", Tensor.f32([2], new Float32Array(2))],
    ]),
    nodes: [node("Gemm", ["x", "weight", "bias"], "y")],
  },
};

/** Numbers and what a linear model makes of them. */
function numbers(count: number, width = 3): Dataset {
  const x = Float32Array.from({ length: width * count }, () => random.normal());
  const y = Float32Array.from({ length: 2 * count }, (_, at) => {
    const row = width * Math.floor(at / 2);
    return [0, 1, 2].reduce((sum, k) => sum + (x[row + k] ?? 0) * TRUTH[2 * k + (at % 2)]!, 0.5);
  });
  const features = [{ name: "x", shape: [width], values: x }];
  return arrayDataset("numbers", { features, labels: { values: y, shape: [2] } });
}

const [data, heldOut, few] = [numbers(100), numbers(30), numbers(5)];

const weightOf = async (trainer: ModelTrainer): Promise<number[]> => [
  ...(await trainer.parameters()).get("weight")!.f32,
];

/** What every trainer of a model does, in whichever thread it trains. */
export function modelTrainerContract(name: string, open: OpenTrainer): void {
  const trainers: ModelTrainer[] = [];
  const aTrainer = async (changes: Partial<ModelTrainerOptions> = {}): Promise<ModelTrainer> => {
    const trainer = await open({
      ...{ model: writeModel(MODEL), loss: "mean-squared-error", batchSize: 16, data, seed: 5 },
      optimizer: { name: "adam", learningRate: 0.05 },
      ...changes,
    });
    trainers.push(trainer);
    return trainer;
  };
  afterEach(async () => {
    await Promise.all(trainers.splice(0).map((trainer) => trainer.dispose()));
  });

  describe(name, () => {
    test("learns, measures, saves, and says what a step needs", async () => {
      const trainer = await aTrainer({ metrics: [{ name: "r2" }] });

      const before = await trainer.evaluate(heldOut);
      const { steps } = await trainer.train(10);
      const after = await trainer.evaluate(heldOut);
      const saved = readModel(await trainer.save());

      expect(steps).toBe(70);
      expect(after.loss).toBeLessThan(0.2 * before.loss);
      expect(after.metrics[0]!.value).toBeGreaterThan(0.8);
      expect([...saved.graph.initializers.get("weight")!.f32]).toEqual(await weightOf(trainer));
      expect(trainer.memory.neededBytes).toBeGreaterThan(500);
      expect(trainer.table.map(({ name: parameter }) => parameter)).toEqual(["weight", "bias"]);
    });

    test("takes single steps without data of its own, of a part of a batch as of a whole one", async () => {
      const own = { dimensions: { width: 3 }, onNotFinite: "skip" } as const;
      const [padded, exact] = [await aTrainer(own), await aTrainer({ ...own, batchSize: 5 })];

      const steps = [await padded.step(few), await exact.step(few)];

      expect(steps.map(({ kind }) => kind)).toEqual(["taken", "taken"]);
      expect(steps[0]!.loss).toBeCloseTo(steps[1]!.loss!, 5);
      const expected = await weightOf(exact);
      (await weightOf(padded)).forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 6);
      });
    });

    test("gathers steps, and closes the update when it is told to", async () => {
      const trainer = await aTrainer({ batchesPerUpdate: 3 });

      const kinds = [await trainer.step(few), await trainer.step(few, { closesUpdate: true })];
      const next = [await trainer.step(few), await trainer.step(few), await trainer.step(few)];

      expect(kinds.map(({ kind }) => kind)).toEqual(["gathered", "taken"]);
      expect(next.map(({ kind }) => kind)).toEqual(["gathered", "gathered", "taken"]);
    });

    test("one seed gives one training, again after its parameters were loaded, and another seed another", async () => {
      const [trainer, other] = [await aTrainer(), await aTrainer({ seed: 6 })];
      const start = await trainer.parameters();

      await trainer.train(1);
      const first = await weightOf(trainer);
      await trainer.load(start);
      await trainer.train(1);
      await other.train(1);

      expect(await weightOf(trainer)).toEqual(first);
      expect(await weightOf(other)).not.toEqual(first);
    });

    test("follows the schedule to the epoch that a step names", async () => {
      const trainer = await aTrainer({ schedule: { name: "linear", epochs: 2 } });

      await trainer.step(few, { epoch: 2 });

      expect(await weightOf(trainer)).toEqual([0, 0, 0, 0, 0, 0]);
    });

    test("stops with the caller's reason, and goes on", async () => {
      const trainer = await aTrainer();
      const controller = new AbortController();
      const reason = new Error("enough");
      const endless = trainer.train(1_000_000, {
        signal: controller.signal,
        onProgress: ({ phase, loss }) => {
          expect(phase).toBe("training");
          expect(loss).toBeGreaterThanOrEqual(0);
          controller.abort(reason);
        },
      });

      await expect(endless).rejects.toBe(reason);
      expect(await trainer.train(1)).toMatchObject({ steps: 7 });
    });

    test("does one thing at a time, and nothing once it was disposed", async () => {
      const trainer = await aTrainer();

      const first = trainer.train(1);
      await expect(trainer.parameters()).rejects.toThrow(TypeError);
      await first;
      await trainer.dispose();

      await expect(trainer.train(1)).rejects.toThrow(TypeError);
    });

    test("stops what runs when it is disposed", async () => {
      const trainer = await aTrainer();

      const endless = trainer.train(1_000_000);
      const [ended] = await Promise.allSettled([endless, trainer.dispose()]);

      expect(ended.status).toBe("rejected");
    });

    test.each([
      ["a whole number of epochs", (trainer: ModelTrainer) => trainer.train(0.5)],
      ["examples in a batch", (trainer: ModelTrainer) => trainer.step(numbers(0))],
      ["no more of them than the batch size", (trainer: ModelTrainer) => trainer.step(numbers(17))],
      ["all parameters", (trainer: ModelTrainer) => trainer.load(new ParameterSet([]))],
    ])("wants %s", async (_, misuse) => {
      await expect(misuse(await aTrainer())).rejects.toThrow(RangeError);
    });

    test.each([
      ["ERR_MODEL_SHAPE", (trainer: ModelTrainer) => trainer.step(numbers(5, 4))],
      ["ERR_MODEL_SHAPE", (trainer: ModelTrainer) => trainer.evaluate(numbers(5, 4))],
      ["ERR_DATA_MISSING", (trainer: ModelTrainer) => trainer.evaluate(numbers(0))],
    ])("refuses with %s data that it cannot use", async (code, use) => {
      await expect(use(await aTrainer())).rejects.toMatchObject({ code });
    });

    test.each([
      ["ERR_MODEL_MALFORMED", { model: Uint8Array.of(1, 2, 3) }],
      ["ERR_DATA_MISSING", { data: numbers(0) }],
      ["ERR_MODEL_SHAPE", { data: numbers(4), metrics: [{ name: "confusion-matrix" }] }],
    ] as const)("opens nothing with %s", async (code, changes) => {
      await expect(aTrainer(changes)).rejects.toMatchObject({ code });
    });

    test("ends with ERR_TRAINING_NOT_FINITE when a step diverges", async () => {
      const trainer = await aTrainer({ optimizer: { name: "sgd", learningRate: 1e38, momentum: 0 } });
      await trainer.step(few);

      await expect(trainer.step(few)).rejects.toMatchObject({ code: "ERR_TRAINING_NOT_FINITE" });
    });
  });
}
