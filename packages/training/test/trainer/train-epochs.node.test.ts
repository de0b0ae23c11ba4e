// Runs in Node only: onnxruntime-node computes the steps.
import type { Clock } from "@photinus/core/platform";
import { ParameterSet } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { compileStep, type StepOptions } from "../../src/compile/index.ts";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import { seededRandom } from "../../src/random.ts";
import { StepSession } from "../../src/runtime/index.ts";
import { type EpochOptions, trainEpochs } from "../../src/trainer/train-epochs.ts";
import { LINEAR, LINEAR_TABLE, linearData, linearParameters, withLinear } from "../reference/linear-model.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const clock: Clock = {
  now: () => 0,
  after: () => ({ cancel: () => undefined }),
  yield: async () => undefined,
};
const random = seededRandom(23);
const draw = (count: number): number[] => Array.from({ length: count }, () => Math.fround(random.normal()));
const [weight, bias] = [draw(6), draw(2)];
const [x, y] = [draw(24), draw(16)];
const data = linearData(x, y);

const options = (changes: Partial<EpochOptions> = {}): EpochOptions => ({
  ...{ dataset: data, batchSize: 2, epochs: 1, learningRate: 0.1, epochsBefore: 0 },
  ...{ batchesPerUpdate: 1, skips: false, random: seededRandom(1), clock },
  signal: new AbortController().signal,
  ...changes,
});

/** Weights after `use`, from fixed ones. */
function weightsAfter(
  changes: Partial<StepOptions>,
  use: (session: StepSession) => Promise<unknown>,
): Promise<readonly number[]> {
  const take = async (session: StepSession): Promise<readonly number[]> => {
    session.start(linearParameters(weight, bias));
    await use(session);
    return [...(await session.parameters()).get("weight")!.f32];
  };
  return withLinear(changes, take, 2);
}

describe("gathered gradients", () => {
  test("of a call that was aborted between two updates have no part in the next call", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    let batches = 0;
    const interrupted: Dataset = {
      ...data,
      read: (indices, into) => {
        data.read(indices, into);
        batches++;
        if (batches === 2) controller.abort(reason);
      },
    };
    const whole = { batchesPerUpdate: 4 }; // one update an epoch, so that the order does not matter

    const expected = await weightsAfter({ gathers: true }, (session) => trainEpochs(session, options(whole)));
    const resumed = await weightsAfter({ gathers: true }, async (session) => {
      const { signal } = controller;
      const first = trainEpochs(session, options({ ...whole, dataset: interrupted, signal }));
      await expect(first).rejects.toBe(reason);
      await trainEpochs(session, options(whole));
    });

    resumed.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 6);
    });
  });

  test("become an update with the first label that counts, where a whole window had none", async () => {
    const closings: number[] = [];
    let batches = 0;
    const sparse: Dataset = {
      count: 16,
      features: [{ name: "x", dtype: "f32", shape: [3] }],
      labelling: { kind: "classes", classCount: 2, shape: [] },
      read: (indices, into) => {
        batches++;
        floatsOf(into, 0).fill(1);
        into.labels.fill(batches <= 3 ? -1 : 1, 0, indices.length);
      },
    };
    const compiled = compileStep(LINEAR, {
      ...{ parameters: LINEAR_TABLE, profile: "cpu", batchSize: 2, gathers: true },
      loss: { name: "cross-entropy", ignoredLabel: -1 },
      optimizer: { name: "sgd", momentum: 0 },
    });
    const session = await StepSession.open(cpuRuntime(), compiled);
    session.start(linearParameters(weight, bias));
    const step = session.step.bind(session);
    session.step = (rate, closes = 1) => {
      closings.push(closes);
      return step(rate, closes);
    };

    const outcome = await trainEpochs(session, options({ dataset: sparse, batchesPerUpdate: 2 }));

    expect(closings).toEqual([0, 0, 0, 1 / 2, 0, 1 / 4, 0, 1 / 4]);
    expect(outcome).toMatchObject({ steps: 8, skippedUpdates: 0 });
    expect(outcome.loss).toBeGreaterThan(0.01);
    await session.close();
  });
});

describe("updates that are left out", () => {
  // From weights of 0 the loss is 1 of every example, and the gradient of a huge one overflows.
  const zeros = linearParameters(new Array<number>(6).fill(0), [0, 0]);
  const answers = new Array<number>(16).fill(1);
  const skipping = (dataset: Dataset, changes: Partial<EpochOptions> = {}) =>
    withLinear(
      { skips: true },
      async (session) => {
        session.start(new ParameterSet(zeros.entries()));
        return trainEpochs(session, options({ dataset, skips: true, learningRate: 0, ...changes }));
      },
      2,
    );

  test("have no part in the mean loss, nor in the reports", async () => {
    const far = linearData([3e38, 3e38, 3e38, ...x.slice(3)], [1.5e19, 1.5e19, ...answers.slice(2)]);
    const losses: (number | undefined)[] = [];
    let now = 0;
    const ticking: Clock = {
      ...clock,
      now: () => {
        now += 1000;
        return now;
      },
    };

    const outcome = await skipping(far, { clock: ticking, onProgress: ({ loss }) => losses.push(loss) });

    expect(outcome).toMatchObject({ loss: 1, steps: 4, skippedUpdates: 1 });
    expect(losses.filter((loss) => loss === undefined)).toHaveLength(1);
    expect(losses.filter((loss) => loss === 1)).toHaveLength(3);
  });

  test("end the training when there were no others, though every loss was a number", async () => {
    const every = linearData(
      new Array<number>(24).fill(3e38),
      answers.map((answer) => answer * 1e19),
    );

    await expect(skipping(every)).rejects.toMatchObject({
      code: "ERR_TRAINING_NOT_FINITE",
      message: expect.stringContaining("all 4 updates of 4 steps were left out"),
    });
  });
});
