// Runs in Node only: onnxruntime-node is the runtime; the page's is tested with its worker.
import type { TransformDefinition } from "@photinus/core/job";
import type { TrainerJob } from "@photinus/core/site";
import { describe, expect, test } from "vitest";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import { aJob, aTrainer, initial, points, signal } from "./a-local-trainer.ts";

describe("the data of a LocalTrainer", () => {
  test("leaves out the batches that are no numbers, counts them, and fails where all are", async () => {
    const clean = points(100, 1);
    const spoilt = (every: boolean): Dataset => ({
      ...clean,
      read: (indices, into) => {
        clean.read(indices, into);
        if (every || indices.includes(7)) floatsOf(into, 0)[0] = Number.NaN;
      },
    });
    const training = { ...aJob().training, onNotFinite: "skip" } as const;
    const train = async (every: boolean) => {
      const trainer = aTrainer({ data: async () => ({ training: spoilt(every), heldOut: undefined }) });
      await trainer.prepare(aJob({ training }), { signal });
      return trainer.train({ parameters: initial, seed: 1 }, { signal });
    };

    const outcome = await train(false);

    expect(outcome.skippedUpdates).toBe(2); // example 7 is in one batch of each epoch
    expect(Number.isFinite(outcome.loss)).toBe(true);
    expect([...outcome.delta.get("w")!.f32].every(Number.isFinite)).toBe(true);
    await expect(train(true)).rejects.toMatchObject({ code: "ERR_TRAINING_NOT_FINITE" });
  });

  test("refuses a label that is no class when it comes", async () => {
    const clean = points(20, 1);
    const training: Dataset = {
      ...clean,
      read: (indices, into) => {
        clean.read(indices, into);
        into.labels[0] = 2;
      },
    };
    const trainer = aTrainer({ data: async () => ({ training, heldOut: undefined }) });
    await trainer.prepare(aJob(), { signal });

    await expect(trainer.train({ parameters: initial, seed: 1 }, { signal })).rejects.toMatchObject({
      code: "ERR_DATA_MALFORMED",
      message: expect.stringContaining("a label is 2"),
    });
  });

  test("refuses labels that are numbers for a loss of classes, and classes for a loss of numbers", async () => {
    const numbers: Dataset = { ...points(10, 1), labelling: { kind: "numbers", shape: [] } };
    const squared = aJob({ training: { ...aJob().training, loss: "mean-squared-error" } });

    const prepare = (training: Dataset, job: TrainerJob) =>
      aTrainer({ data: async () => ({ training, heldOut: undefined }) }).prepare(job, { signal });

    await expect(prepare(numbers, aJob())).rejects.toMatchObject({ code: "ERR_MODEL_SHAPE" });
    await expect(prepare(points(10, 1), squared)).rejects.toMatchObject({ code: "ERR_MODEL_SHAPE" });
  });

  test("does to examples what the job says, and refuses data of which something is missing without it", async () => {
    const features = [{ name: "x", dtype: "f32", shape: [2], mayMiss: true }] as const;
    const data = async () => ({ training: { ...points(50, 1), features }, heldOut: undefined });
    const prepare = (transforms: readonly TransformDefinition[]) =>
      aTrainer({ data }).prepare(aJob({ training: { ...aJob().training, transforms } }), { signal });

    await expect(prepare([])).rejects.toMatchObject({
      code: "ERR_MODEL_SHAPE",
      message: expect.stringContaining('no transform "impute" for it'),
    });
    await expect(prepare([{ name: "impute", value: [0] }])).resolves.toMatchObject({ trainingExamples: 50 });
  });

  test("measures on transformed examples, too", async () => {
    const evaluated = async (transforms: readonly TransformDefinition[]) => {
      const trainer = aTrainer();
      await trainer.prepare(aJob({ training: { ...aJob().training, transforms } }), { signal });
      return trainer.evaluate(initial, { signal });
    };
    const there = { name: "normalize", mean: [5, 5], deviation: [1, 1] } as const;
    const back = { name: "normalize", mean: [-5], deviation: [1] } as const;
    const [plain, shifted, same] = [
      await evaluated([]),
      await evaluated([there]),
      await evaluated([there, back]),
    ];

    expect(shifted!.loss).not.toBeCloseTo(plain!.loss, 3);
    expect(same!.loss).toBeCloseTo(plain!.loss, 5);
  });

  test("returns the sums of the job's metrics beside what it measured", async () => {
    const trainer = aTrainer();
    const metrics = [{ name: "confusion-matrix", classes: 2 }, { name: "auc" }] as const;
    await trainer.prepare(aJob({ metrics }), { signal });

    const { sums, exampleCount } = (await trainer.evaluate(initial, { signal }))!;

    expect(sums?.length).toBe(4 + 2048);
    expect(sums?.slice(0, 4).reduce((total, count) => total + count, 0)).toBe(exampleCount);
    await expect(aTrainer().prepare(aJob({ metrics: [{ name: "r2" }] }), { signal })).rejects.toMatchObject({
      code: "ERR_MODEL_SHAPE",
    });
  });
});
