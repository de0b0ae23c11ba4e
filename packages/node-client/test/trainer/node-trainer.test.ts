import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import type { TrainerJob } from "@photinus/core/site";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { benchModel, writeModel } from "@photinus/training";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { hasCudaLibrary, parseDevice, startNodeTrainer } from "../../src/trainer/index.ts";
import { trainerIn } from "../../src/trainer/start-node-trainer.ts";
import { watchThread } from "../../src/trainer/start-worker.ts";

const dataFolder = fileURLToPath(new URL("../../../../demos/mnist", import.meta.url));
const { signal } = new AbortController();
const { model, parameters, initialParameters } = benchModel("mlp", 1);

function aJob(changes: Partial<TrainerJob> = {}): TrainerJob {
  return {
    jobId: "job",
    dataName: "mnist",
    training: {
      loss: "cross-entropy",
      optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
      batchSize: 64,
      localEpochs: 1,
    },
    model,
    parameters,
    ...changes,
  };
}

const endless = { training: { ...aJob().training, localEpochs: 1000 } };

const trainers: { close(): Promise<void> }[] = [];
function aTrainer() {
  const trainer = startNodeTrainer({ dataFolder, device: "cpu" });
  trainers.push(trainer);
  return trainer;
}

afterEach(async () => {
  await Promise.all(trainers.splice(0).map((trainer) => trainer.close()));
});

describe("a trainer in a worker thread", () => {
  test("learns MNIST with the MLP in one epoch", async () => {
    const trainer = aTrainer();

    const prepared = await trainer.prepare(aJob(), { signal });
    const before = await trainer.evaluate(initialParameters, { signal });
    const outcome = await trainer.train({ parameters: initialParameters, seed: 7 }, { signal });

    expect(prepared).toMatchObject({ device: "cpu", trainingExamples: 10_000, heldOutExamples: 2_000 });
    expect(before?.accuracy).toBeLessThan(0.3);
    expect(outcome).toMatchObject({ exampleCount: 10_000, steps: 157 });
    expect(outcome.loss).toBeLessThan(0.6);
    expect(outcome.delta.names()).toEqual(parameters.map(({ name }) => name));
  });

  test("leaves the main thread free while it trains", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(), { signal });
    let turns = 0;
    const count = setInterval(() => turns++, 1);

    await trainer.train({ parameters: initialParameters, seed: 7 }, { signal });

    clearInterval(count);
    expect(turns).toBeGreaterThan(5);
  });

  test("stops in the middle of an epoch when it is told to", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(endless), { signal });
    const controller = new AbortController();
    const reason = new Error("the round is over");

    const outcome = trainer.train(
      { parameters: initialParameters, seed: 7 },
      { signal: controller.signal, onProgress: () => controller.abort(reason) },
    );

    await expect(outcome).rejects.toBe(reason);
  });

  test("refuses what waits with ERR_TRAINER_LOST when it dies", async () => {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker("process.exit(3)", { eval: true, workerData: port2, transferList: [port2] });
    const trainer = trainerIn(watchThread(worker, port1));

    await expect(trainer.prepare(aJob(), { signal })).rejects.toMatchObject({
      code: "ERR_TRAINER_LOST",
      message: expect.stringContaining("exit code 3"),
    });
    await trainer.close();
  });

  test("says which data is missing", async () => {
    const outcome = aTrainer().prepare(aJob({ dataName: "absent" }), { signal });

    await expect(outcome).rejects.toMatchObject({
      code: "ERR_DATA_MISSING",
      message: expect.stringContaining("absent.json"),
    });
  });

  test("falls back to the CPU where CUDA is not installed, and says so when CUDA was asked for", async () => {
    if (hasCudaLibrary()) return; // on such a machine verify:gpu is the test

    const asked = startNodeTrainer({ dataFolder, device: "cuda" });
    const free = startNodeTrainer({ dataFolder });
    trainers.push(asked, free);

    await expect(asked.prepare(aJob(), { signal })).rejects.toMatchObject({ code: "ERR_DEVICE_UNAVAILABLE" });
    expect(await free.prepare(aJob(), { signal })).toMatchObject({ device: "cpu" });
  });
});

describe("a trainer on a table", () => {
  const folder = mkdtempSync(join(tmpdir(), "photinus-table-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("learns a regression by Huber's loss and RMSProp, in its worker", async () => {
    const rows = Array.from({ length: 300 }, (_, index) =>
      [0, 1, 2].map((k) => Math.sin(index * (k + 1.3) + k)),
    );
    const lines = rows.map(([a = 0, b = 0, c = 0]) => `${a},${b},${c},${2 * a - b + 0.5 * c + 1}`);
    writeFileSync(join(folder, "lines.csv"), `a,b,c,y\n${lines.join("\n")}\n`);
    const columns = ["a", "b", "c"].map((column) => ({ column }));
    const files = { training: "lines.csv", heldOut: "lines.csv" };
    const features = [{ input: "x", columns }];
    writeFileSync(
      join(folder, "lines.json"),
      JSON.stringify({ format: "csv", ...files, features, label: { column: "y" } }),
    );
    const zeros = (shape: readonly number[], count: number) => Tensor.f32(shape, new Float32Array(count));
    const start = new ParameterSet([
      ["w", zeros([3, 1], 3)],
      ["b", zeros([1], 1)],
    ]);
    const line = writeModel({
      ...{ irVersion: 9, opset: 20, producer: "test" },
      graph: {
        name: "line",
        inputs: [{ name: "x", dtype: "f32", shape: ["batch", 3] }],
        outputs: [{ name: "y", dtype: "f32", shape: ["batch", 1] }],
        initializers: new Map(start.entries()),
        nodes: [
          { name: "", operator: "Gemm", inputs: ["x", "w", "b"], outputs: ["y"], attributes: new Map() },
        ],
      },
    });
    const training = {
      loss: { name: "huber", delta: 0.5 },
      optimizer: { name: "rmsprop", learningRate: 0.05 },
      ...{ batchSize: 32, localEpochs: 30 },
    } as const;
    const trainer = startNodeTrainer({ dataFolder: folder, device: "cpu" });
    trainers.push(trainer);
    const table = start
      .entries()
      .map(([name, { dtype, shape }]) => ({ name, dtype, shape, trainable: true }));

    await trainer.prepare(aJob({ dataName: "lines", model: line, parameters: table, training }), { signal });
    const { delta } = await trainer.train({ parameters: start, seed: 7 }, { signal });

    [2, -1, 0.5].forEach((slope, index) => {
      expect(delta.get("w")!.f32[index]).toBeCloseTo(slope, 1);
    });
    expect(delta.get("b")!.f32[0]).toBeCloseTo(1, 1);
  });
});

describe("a trainer in a child process", () => {
  test("says that WebGPU is not there where there is no adapter", async () => {
    const trainer = startNodeTrainer({ dataFolder, device: "webgpu" });
    trainers.push(trainer);

    const outcome = await trainer.prepare(aJob(), { signal }).catch((error: unknown) => error);

    expect([{ code: "ERR_DEVICE_UNAVAILABLE" }, { device: "webgpu" }]).toContainEqual(
      expect.objectContaining(pick(outcome)),
    );
  });
});

/** A machine with a GPU prepares, one without refuses; nothing else may happen. */
function pick(outcome: unknown): { code?: string; device?: string } {
  const { code, device } = outcome as { code?: string; device?: string };
  return code === undefined ? { device: device ?? "" } : { code };
}

test("a device that is not known is refused by name", () => {
  expect(parseDevice("cuda")).toBe("cuda");
  expect(() => parseDevice("nonsense")).toThrow(expect.objectContaining({ code: "ERR_CONFIG_INVALID" }));
});
