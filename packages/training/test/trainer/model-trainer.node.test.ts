// Runs in Node only: onnxruntime-node is the runtime; workers are tested where they are.
import type { Clock } from "@photinus/core/platform";
import { describe, expect, test } from "vitest";
import { writeModel } from "../../src/onnx/index.ts";
import {
  type CreateTrainerOptions,
  createTrainer,
  type RuntimeCandidate,
  type RuntimeChoice,
} from "../../src/trainer/index.ts";
import { openPortTrainer, overMessagePort, serveModelTrainer } from "../../src/trainer-port/index.ts";
import { LINEAR } from "../reference/linear-model.ts";
import { modelTrainerContract, type OpenTrainer } from "../reference/model-trainer-contract.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {
      port1.close();
      resolve();
    };
    port1.postMessage(0);
  });

/** A clock on which 100 ms pass with every look at it, so that reports and turns come often. */
function aClock(): Clock {
  let now = 0;
  return {
    now: () => {
      now += 100;
      return now;
    },
    after: () => ({ cancel: () => undefined }),
    yield: turn,
  };
}

const cpu: RuntimeCandidate = { device: "cpu", find: async () => cpuRuntime() };
const host = (): { runtimes: RuntimeChoice; clock: Clock } => ({
  runtimes: { candidates: [cpu], take: "first" },
  clock: aClock(),
});

const overPort: OpenTrainer = (options) => {
  const { port1, port2 } = new MessageChannel();
  serveModelTrainer(host(), overMessagePort(port2));
  return openPortTrainer(options, {
    ...{ port: overMessagePort(port1), end: async () => undefined, onLost: () => undefined },
  });
};

modelTrainerContract("a trainer in this thread", (options) => createTrainer({ ...options, ...host() }));
modelTrainerContract("a trainer behind a port", overPort);

const aTrainer = (changes: Partial<CreateTrainerOptions>) =>
  createTrainer({
    ...{ model: writeModel(LINEAR), loss: "mean-squared-error", batchSize: 1024 },
    ...{ optimizer: { name: "adam", learningRate: 0.05 }, ...host() },
    ...changes,
  });

describe("the choice of a device", () => {
  const missing: RuntimeCandidate = {
    device: "cuda",
    find: () => Promise.reject(new Error("no library")),
  };
  const broken: RuntimeCandidate = {
    device: "webgpu",
    find: async () => {
      const runtime = cpuRuntime();
      const open: typeof runtime.open = async (model, stay) => {
        const session = await runtime.open(model, stay);
        return { ...session, run: () => Promise.reject(new Error("no kernel for Gemm")) };
      };
      return { ...runtime, open };
    },
  };

  test("reports why each other was not taken, also those that only fail in a step", async () => {
    const trainer = await aTrainer({ runtimes: { candidates: [missing, broken, cpu], take: "first" } });

    expect(trainer.device).toBe("cpu");
    expect(trainer.rejected).toEqual([
      { device: "cuda", reason: "no library" },
      { device: "webgpu", reason: "no kernel for Gemm" },
    ]);
    await trainer.dispose();
  });

  test("tells of the slower of two", async () => {
    const find = async () => ({ ...cpuRuntime(), device: "wasm" as const });
    const wasm: RuntimeCandidate = { device: "wasm", find };
    const trainer = await aTrainer({ runtimes: { candidates: [cpu, wasm], take: "fastest" } });

    expect(trainer.rejected).toEqual([{ device: "wasm", reason: expect.stringMatching(/^slower: 3 steps/) }]);
    await trainer.dispose();
  });

  test("leaves out a device whose memory a step exceeds, before it is tried, and advises a batch size", async () => {
    const small: RuntimeCandidate = {
      device: "cuda",
      find: () => Promise.reject(new Error("tried")),
      availableBytes: () => 30_000, // a third of it is advised to be used
    };
    const trainer = await aTrainer({ runtimes: { candidates: [small, cpu], take: "first" } });
    const [{ reason } = { reason: "" }] = trainer.rejected;
    const [, advised = ""] =
      /^a step needs about 1 MB, 1 MB are free: use a batch size of (\d+)$/.exec(reason) ?? [];

    expect(Number(advised)).toBeGreaterThanOrEqual(1);
    const fitting = await aTrainer({ batchSize: Number(advised) });
    const tooLarge = await aTrainer({ batchSize: 2 * Number(advised) });
    expect(fitting.memory.neededBytes).toBeLessThanOrEqual(30_000 / 3);
    expect(tooLarge.memory.neededBytes).toBeGreaterThan(30_000 / 3);
    await Promise.all([trainer, fitting, tooLarge].map((each) => each.dispose()));
  });

  test("says that the model is too large where not even one example fits", async () => {
    const tiny: RuntimeCandidate = { ...cpu, availableBytes: () => 100 };

    await expect(aTrainer({ runtimes: { candidates: [tiny], take: "first" } })).rejects.toMatchObject({
      code: "ERR_DEVICE_UNAVAILABLE",
      message: expect.stringMatching(/use a smaller model/),
    });
  });
});
