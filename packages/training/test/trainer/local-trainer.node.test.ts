import type { Clock } from "@photinus/core/platform";
import { describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/index.ts";
import { initializeParameters } from "../../src/models/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

import { aClock, aJob, aModel, aTrainer, initial, moved, points, signal, table } from "./a-local-trainer.ts";

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
});
