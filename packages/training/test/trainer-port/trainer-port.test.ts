import { TrainingError } from "@photinus/core/errors";
import type { Trainer, TrainerJob, TrainOptions, TrainRequest } from "@photinus/core/site";
import { layoutOf, ParameterSet, Tensor, unpackParameters } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { overMessagePort, PortTrainer, serveTrainer } from "../../src/trainer-port/index.ts";

const parameters = new ParameterSet([
  ["a", Tensor.f32([3], Float32Array.of(1, 2, 3))],
  ["b", Tensor.f32([], Float32Array.of(4))],
]);
const { signal } = new AbortController();
const job: TrainerJob = {
  jobId: "job",
  dataName: "data",
  training: {
    loss: "cross-entropy",
    optimizer: { name: "sgd", learningRate: 1, momentum: 0 },
    batchSize: 1,
    localEpochs: 1,
  },
  model: Uint8Array.of(1, 2, 3),
  parameters: [],
};

/** A trainer whose delta is what it was given, in one block of memory. */
function anEcho(changes: Partial<Trainer> = {}): Trainer {
  return {
    prepare: async () => ({ device: "cpu", trainingExamples: 1, heldOutExamples: 0 }),
    evaluate: async (given) => ({ loss: given.get("b")!.f32[0]!, accuracy: 1, exampleCount: 2 }),
    train: async ({ parameters: given, seed }) => ({ delta: given, exampleCount: seed, loss: 0.5, steps: 1 }),
    close: async () => undefined,
    ...changes,
  };
}

function connect(trainer: Trainer, end: () => Promise<void> = async () => undefined): PortTrainer {
  const { port1, port2 } = new MessageChannel();
  serveTrainer(trainer, overMessagePort(port2));
  return new PortTrainer(overMessagePort(port1), end);
}

describe("a trainer behind a port", () => {
  test("answers as it would without one", async () => {
    const trainer = connect(anEcho());

    const prepared = await trainer.prepare(job, { signal });
    const evaluation = await trainer.evaluate(parameters, { signal });
    const outcome = await trainer.train({ parameters, seed: 7 }, { signal });

    expect(prepared.device).toBe("cpu");
    expect(evaluation).toEqual({ loss: 4, accuracy: 1, exampleCount: 2 });
    expect(outcome).toMatchObject({ exampleCount: 7, loss: 0.5, steps: 1 });
    expect([...outcome.delta.get("a")!.f32]).toEqual([1, 2, 3]);
    await trainer.close();
  });

  test("hands over what corrects and what pulls the training", async () => {
    const seen: TrainRequest[] = [];
    const trainer = connect(
      anEcho({
        train: async (request) => {
          seen.push(request);
          return { delta: request.parameters, exampleCount: 1, loss: 0, steps: 1 };
        },
      }),
    );

    await trainer.train(
      { parameters, seed: 1, corrections: parameters, reference: parameters, proximal: 2 },
      { signal },
    );
    await trainer.train({ parameters, seed: 1 }, { signal });

    const [all, plain] = seen;
    expect([...all!.corrections!.get("a")!.f32, ...all!.reference!.get("a")!.f32]).toEqual([
      1, 2, 3, 1, 2, 3,
    ]);
    expect(all?.proximal).toBe(2);
    expect(Object.keys(plain ?? {})).toEqual(["parameters", "seed"]);
    await trainer.close();
  });

  test("leaves the caller's tensors usable", async () => {
    const trainer = connect(anEcho());

    await trainer.train({ parameters, seed: 1 }, { signal });

    expect([...parameters.get("a")!.f32]).toEqual([1, 2, 3]);
    await trainer.close();
  });

  test("moves a delta that lies in one block, without a copy", async () => {
    const layout = layoutOf([{ name: "a", dtype: "f32", shape: [4] }]);
    const delta = unpackParameters(layout, new Uint8Array(layout.byteLength));
    const trainer = connect(anEcho({ train: async () => ({ delta, exampleCount: 1, loss: 0, steps: 1 }) }));

    const outcome = await trainer.train({ parameters, seed: 1 }, { signal });

    expect(outcome.delta.get("a")?.shape).toEqual([4]);
    expect(delta.get("a")?.data.buffer.byteLength).toBe(0); // detached: it moved
    await trainer.close();
  });

  test("keeps code and message of an error", async () => {
    const refuse = async () => {
      throw new TrainingError("ERR_DATA_MISSING", "no mnist here");
    };
    const trainer = connect(anEcho({ prepare: refuse }));

    await expect(trainer.prepare(job, { signal })).rejects.toMatchObject({
      name: "TrainingError",
      code: "ERR_DATA_MISSING",
      message: "no mnist here",
    });
    await trainer.close();
  });

  test("turns a fault without a code into ERR_TRAINER_LOST", async () => {
    const fail = async () => {
      throw new RangeError("a bug");
    };
    const trainer = connect(anEcho({ evaluate: fail }));

    await expect(trainer.evaluate(parameters, { signal })).rejects.toMatchObject({
      code: "ERR_TRAINER_LOST",
    });
    await trainer.close();
  });

  test("passes progress on", async () => {
    const progress = { phase: "training", step: 1, steps: 2, loss: 0.25 } as const;
    const report = async (_: unknown, { onProgress }: TrainOptions) => {
      onProgress?.(progress);
      return { delta: parameters, exampleCount: 1, loss: 0, steps: 1 };
    };
    const trainer = connect(anEcho({ train: report }));
    const reports: unknown[] = [];

    await trainer.train({ parameters, seed: 1 }, { signal, onProgress: (report) => reports.push(report) });

    expect(reports).toEqual([progress]);
    await trainer.close();
  });

  test("is told of an abort, and the caller gets its own reason back", async () => {
    const controller = new AbortController();
    const wait = (_: unknown, options: TrainOptions) =>
      new Promise<never>((_resolve, reject) => {
        options.signal.addEventListener("abort", () => reject(options.signal.reason));
        options.onProgress?.({ phase: "training", step: 0, steps: 1 });
      });
    const trainer = connect(anEcho({ train: wait }));
    const reason = new Error("the round is over");

    const outcome = trainer.train(
      { parameters, seed: 1 },
      { signal: controller.signal, onProgress: () => controller.abort(reason) },
    );

    await expect(outcome).rejects.toBe(reason);
    await trainer.close();
  });

  test("refuses what waits and what comes once the worker is lost", async () => {
    const trainer = connect(anEcho({ train: () => new Promise(() => undefined) }));
    const waiting = trainer.train({ parameters, seed: 1 }, { signal });

    trainer.lose("exit code 1");

    await expect(waiting).rejects.toMatchObject({ code: "ERR_TRAINER_LOST" });
    await expect(trainer.evaluate(parameters, { signal })).rejects.toMatchObject({
      code: "ERR_TRAINER_LOST",
    });
    await trainer.close();
  });

  test("closes once, and ends the worker", async () => {
    const ended: string[] = [];
    const trainer = connect(
      anEcho({
        close: async () => {
          ended.push("trainer");
        },
      }),
      async () => {
        ended.push("worker");
      },
    );

    await Promise.all([trainer.close(), trainer.close()]);

    expect(ended).toEqual(["trainer", "worker"]);
  });
});
