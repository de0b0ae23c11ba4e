// Runs in Node only: onnxruntime-node is the runtime; the page's is tested with its worker.
import type { TransformDefinition } from "@photinus/core/job";
import type { Clock } from "@photinus/core/platform";
import type { TrainerJob } from "@photinus/core/site";
import { type ParameterSet, Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import { initializeParameters } from "../../src/models/index.ts";
import { type Attribute, int, type Node, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { LocalTrainer, type LocalTrainerModules } from "../../src/trainer/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const { signal } = new AbortController();

/** A clock on which 100 ms pass with every look at it, so that reports and turns come often. */
function aClock(): Clock {
  let now = 0;
  return {
    now: () => {
      now += 100;
      return now;
    },
    after: () => ({ cancel: () => undefined }),
    yield: async () => undefined,
  };
}

/** Points of two classes, at (1, 1) and (-1, -1) with noise. */
function points(count: number, seed: number, classCount = 2): Dataset {
  const random = seededRandom(seed);
  const labels = Array.from({ length: count }, () => random.below(2));
  const values = labels.flatMap((label) => [0, 1].map(() => (label === 0 ? 1 : -1) + 0.3 * random.normal()));
  return {
    count,
    features: [{ name: "x", dtype: "f32", shape: [2] }],
    labelling: { kind: "classes", classCount, shape: [] },
    read: (indices, into) => {
      indices.forEach((index, row) => {
        into.labels[row] = labels[index]!;
        floatsOf(into, 0).set(values.slice(2 * index, 2 * index + 2), 2 * row);
      });
    },
  };
}

const table = [
  { name: "w", dtype: "f32", shape: [2, 2], trainable: true },
  { name: "b", dtype: "f32", shape: [2], trainable: true },
] as const;
const initial = initializeParameters(table, 5);

function aModel(operator = "Gemm", attributes: readonly [string, Attribute][] = [["transB", int(1)]]) {
  const node: Node = {
    name: "classify",
    operator,
    inputs: ["x", "w", "b"],
    outputs: ["y"],
    attributes: new Map(attributes),
  };
  return writeModel({
    irVersion: 9,
    opset: 20,
    producer: "test",
    graph: {
      name: "test",
      inputs: [{ name: "x", dtype: "f32", shape: ["batch", 2] }],
      outputs: [{ name: "y", dtype: "f32", shape: ["batch", 2] }],
      initializers: new Map(initial.entries()),
      nodes: [node],
    },
  });
}

function aJob(changes: Partial<TrainerJob> = {}, learningRate = 0.1): TrainerJob {
  const optimizer = { name: "sgd", learningRate, momentum: 0.9 } as const;
  const training = { loss: "cross-entropy", optimizer, batchSize: 16, localEpochs: 2 } as const;
  return { jobId: "job", dataName: "points", training, model: aModel(), parameters: table, ...changes };
}

function aTrainer(changes: Partial<LocalTrainerModules> = {}): LocalTrainer {
  return new LocalTrainer({
    runtimes: { candidates: [{ device: "cpu", find: async () => cpuRuntime() }], take: "first" },
    data: async () => ({ training: points(100, 1), heldOut: points(30, 2) }),
    clock: aClock(),
    ...changes,
  });
}

/** `received` + `delta`. */
function moved(received: ParameterSet, delta: ParameterSet): ParameterSet {
  const entries = received.entries().map(([name, { shape, f32 }]) => {
    const change = delta.get(name)?.f32;
    return [
      name,
      Tensor.f32(
        shape,
        f32.map((value, index) => value + (change?.[index] ?? 0)),
      ),
    ] as const;
  });
  return new (received.constructor as typeof ParameterSet)(entries);
}

describe("LocalTrainer", () => {
  test("learns, and returns the difference to what it received", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(), { signal });

    const { delta, exampleCount, steps, loss } = await trainer.train(
      { parameters: initial, seed: 1 },
      { signal },
    );
    const after = await trainer.evaluate(moved(initial, delta), { signal });

    expect({ exampleCount, steps }).toEqual({ exampleCount: 100, steps: 14 }); // 2 epochs of 7 batches of 16
    expect(loss).toBeGreaterThan(after!.loss);
    expect(after).toMatchObject({ accuracy: 1, exampleCount: 30 });
    await trainer.close();
  });

  test("gives the same delta for the same seed, and another for another", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(), { signal });
    const train = async (seed: number) => {
      const { delta } = await trainer.train({ parameters: initial, seed }, { signal });
      return [...delta.get("w")!.f32];
    };

    expect(await train(1)).toEqual(await train(1));
    expect(await train(1)).not.toEqual(await train(2));
    await trainer.close();
  });

  test("pads the last batch without a trace: 5 examples in a batch of 16 count as 5", async () => {
    const data = async () => ({ training: points(5, 1), heldOut: points(5, 1) });
    const [padded, exact] = [aTrainer({ data }), aTrainer({ data })];
    await padded.prepare(aJob(), { signal });
    await exact.prepare(aJob({ training: { ...aJob().training, batchSize: 5 } }), { signal });

    const [a, b] = await Promise.all(
      [padded, exact].map((trainer) => trainer.train({ parameters: initial, seed: 3 }, { signal })),
    );
    const [c, d] = await Promise.all([padded, exact].map((trainer) => trainer.evaluate(initial, { signal })));

    expect(a!.loss).toBeCloseTo(b!.loss, 6);
    a!.delta.get("w")!.f32.forEach((value, index) => {
      expect(value).toBeCloseTo(b!.delta.get("w")!.f32[index]!, 6);
    });
    expect(c!.loss).toBeCloseTo(d!.loss, 6);
    expect(c!.accuracy).toBe(d!.accuracy);
    await padded.close();
    await exact.close();
  });

  test("leaves parameters alone that are not trainable", async () => {
    const trainer = aTrainer();
    const parameters = [table[0], { ...table[1], trainable: false }];
    await trainer.prepare(aJob({ parameters }), { signal });

    const { delta } = await trainer.train({ parameters: initial, seed: 1 }, { signal });

    expect(delta.names()).toEqual(["w"]);
    await trainer.close();
  });

  test("says that it has nothing to evaluate without held-out examples", async () => {
    const trainer = aTrainer({ data: async () => ({ training: points(20, 1), heldOut: undefined }) });
    const { heldOutExamples } = await trainer.prepare(aJob(), { signal });

    expect(heldOutExamples).toBe(0);
    expect(await trainer.evaluate(initial, { signal })).toBeUndefined();
    await trainer.close();
  });

  test("reports progress and stops on abort with the caller's reason", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(), { signal });
    const controller = new AbortController();
    const reason = new Error("the round is over");
    const steps: number[] = [];

    const outcome = trainer.train(
      { parameters: initial, seed: 1 },
      {
        signal: controller.signal,
        onProgress: ({ step }) => {
          steps.push(step);
          controller.abort(reason);
        },
      },
    );

    await expect(outcome).rejects.toBe(reason);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toBeLessThan(14);
    await trainer.close();
  });

  test("ends with ERR_TRAINING_NOT_FINITE when the loss diverges", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob({}, 1e38), { signal });

    const outcome = trainer.train({ parameters: initial, seed: 1 }, { signal });

    await expect(outcome).rejects.toMatchObject({ code: "ERR_TRAINING_NOT_FINITE" });
    await trainer.close();
  });

  test("takes the next device when one fails", async () => {
    const missing = { device: "cuda", find: () => Promise.reject(new Error("no library")) } as const;
    const cpu = { device: "cpu", find: async () => cpuRuntime() } as const;
    const trainer = aTrainer({ runtimes: { candidates: [missing, cpu], take: "first" } });

    expect(await trainer.prepare(aJob(), { signal })).toMatchObject({ device: "cpu" });
    await trainer.close();
  });

  test("takes the faster of two devices", async () => {
    let now = 0;
    const clock: Clock = { ...aClock(), now: () => now };
    const slow = async () => {
      const runtime = cpuRuntime();
      const open: typeof runtime.open = async (model, stay) => {
        const session = await runtime.open(model, stay);
        return {
          ...session,
          run: (feeds, into) => {
            now += 50;
            return session.run(feeds, into);
          },
        };
      };
      return { ...runtime, device: "webgpu" as const, open };
    };
    const candidates = [
      { device: "webgpu", find: slow },
      { device: "cpu", find: async () => cpuRuntime() },
    ] as const;
    const trainer = aTrainer({ clock, runtimes: { candidates, take: "fastest" } });

    expect(await trainer.prepare(aJob(), { signal })).toMatchObject({ device: "cpu" });
    await trainer.close();
  });

  test("names each device and its reason when none works", async () => {
    const missing = { device: "cuda", find: () => Promise.reject(new Error("no library")) } as const;
    const trainer = aTrainer({ runtimes: { candidates: [missing], take: "first" } });

    await expect(trainer.prepare(aJob(), { signal })).rejects.toMatchObject({
      code: "ERR_DEVICE_UNAVAILABLE",
      message: expect.stringContaining("cuda: no library"),
    });
  });

  test.each([
    [
      "an operator that cannot be trained",
      aJob({ model: aModel("Loop", []) }),
      "ERR_MODEL_OPERATOR",
      /Loop.*classify/,
    ],
    [
      "a table that is not the model's",
      aJob({ parameters: table.slice(1) }),
      "ERR_MODEL_PARAMETERS",
      /parameters/,
    ],
    ["a file that is no model", aJob({ model: Uint8Array.of(1, 2, 3) }), "ERR_MODEL_MALFORMED", /./],
  ])("refuses %s", async (_, job, code, message) => {
    await expect(aTrainer().prepare(job, { signal })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test("refuses data whose examples or labels do not fit the model", async () => {
    const wide: Dataset = {
      ...points(10, 1),
      features: [{ name: "x", dtype: "f32", shape: [3] }],
    };
    const manyClasses = points(10, 1, 3);

    for (const training of [wide, manyClasses]) {
      const trainer = aTrainer({ data: async () => ({ training, heldOut: undefined }) });
      await expect(trainer.prepare(aJob(), { signal })).rejects.toMatchObject({ code: "ERR_MODEL_SHAPE" });
    }
  });

  test("refuses a second call while one runs", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob(), { signal });

    const first = trainer.train({ parameters: initial, seed: 1 }, { signal });

    await expect(trainer.evaluate(initial, { signal })).rejects.toThrow(TypeError);
    await first;
    await trainer.close();
  });

  test.each([
    { optimizer: { name: "adamw", learningRate: 0.05, weightDecay: 0.01 }, clippingNorm: 1 },
    { optimizer: { name: "lion", learningRate: 0.05 }, schedule: { name: "cosine", epochs: 2 } },
    { optimizer: { name: "adagrad", learningRate: 0.2 }, proximal: 0.01 },
    { optimizer: { name: "rmsprop", learningRate: 0.02 }, batchesPerUpdate: 3 },
    {
      optimizer: { name: "sgd", learningRate: 0.2, momentum: 0.5, nesterov: true },
      groups: [{ parameters: ["b"], weightDecay: 0.1 }],
      loss: { name: "cross-entropy", labelSmoothing: 0.05 },
      onNotFinite: "skip",
    },
  ] as const)("learns with %j", async (changes) => {
    const trainer = aTrainer();
    await trainer.prepare(aJob({ training: { ...aJob().training, ...changes } }), { signal });

    const before = await trainer.evaluate(initial, { signal });
    const { delta, skippedUpdates } = await trainer.train({ parameters: initial, seed: 1 }, { signal });
    const after = await trainer.evaluate(moved(initial, delta), { signal });

    expect(after!.loss).toBeLessThan(0.6 * before!.loss);
    expect(skippedUpdates).toBe(0);
    await trainer.close();
  });

  test("prepares a job of SCAFFOLD, and corrects what it trains", async () => {
    const trainer = aTrainer();
    await trainer.prepare(aJob({ corrects: true }), { signal });
    const zeros = initializeParameters(table, 5);
    for (const [, { f32 }] of zeros) f32.fill(0);

    const request = { parameters: initial, seed: 1 };
    const plain = await trainer.train({ ...request, corrections: zeros }, { signal });
    const corrected = await trainer.train({ ...request, corrections: initial }, { signal });

    expect([...corrected.delta.get("w")!.f32]).not.toEqual([...plain.delta.get("w")!.f32]);
    await trainer.close();
  });

  test("trains towards another model where the order says so, as Ditto does", async () => {
    const trainer = aTrainer();
    const personal = { name: "ditto", strength: 1 } as const;
    await trainer.prepare(aJob({ training: { ...aJob().training, personal } }), { signal });
    const request = { parameters: initial, seed: 1 };
    const reference = initializeParameters(table, 6);

    const free = await trainer.train(request, { signal });
    const held = await trainer.train({ ...request, reference, proximal: 0.5 }, { signal });

    expect([...held.delta.get("w")!.f32]).not.toEqual([...free.delta.get("w")!.f32]);
    await trainer.close();
  });

  test("follows the schedule over the rounds: behind its end nothing moves", async () => {
    const trainer = aTrainer();
    const schedule = { name: "linear", epochs: 4 } as const; // two rounds of two epochs
    await trainer.prepare(aJob({ training: { ...aJob().training, schedule } }), { signal });
    const lengthOf = async (round: number): Promise<number> => {
      const { delta } = await trainer.train({ parameters: initial, seed: 1, round }, { signal });
      return Math.hypot(...delta.get("w")!.f32);
    };

    const [first, second, third] = [await lengthOf(1), await lengthOf(2), await lengthOf(3)];

    expect(second).toBeLessThan(first);
    expect(second).toBeGreaterThan(0);
    expect(third).toBe(0);
    await trainer.close();
  });

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

  test("says why devices before the one that it takes were not taken", async () => {
    const find = async () => {
      throw new Error("no library of CUDA");
    };
    const candidates = [
      { device: "cuda", find } as const,
      { device: "wasm", find: async () => cpuRuntime(), availableBytes: () => 100 } as const,
      { device: "cpu", find: async () => cpuRuntime() } as const,
    ];
    const { device, rejected } = await aTrainer({ runtimes: { candidates, take: "first" } }).prepare(aJob(), {
      signal,
    });

    expect(device).toBe("cpu");
    expect(rejected).toEqual([
      { device: "cuda", reason: "no library of CUDA" },
      { device: "wasm", reason: expect.stringMatching(/a step needs about .* are free: use a/) },
    ]);
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
