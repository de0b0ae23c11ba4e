// Runs in Node only: onnxruntime-node computes the steps.
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/random.ts";
import type { StepSession } from "../../src/runtime/index.ts";
import {
  compileLinear,
  firstOf,
  linearData,
  linearParameters,
  withLinear,
} from "../reference/linear-model.ts";

const random = seededRandom(17);
const draw = (count: number): number[] => Array.from({ length: count }, () => Math.fround(random.normal()));
const [weight, bias] = [draw(6), draw(2)];
const [x, y] = [draw(24), draw(16)];
const data = linearData(x, y);
const adam = { name: "adam" } as const;

async function valuesOf(session: StepSession): Promise<number[]> {
  const parameters = await session.parameters();
  return [...parameters.get("weight")!.f32, ...parameters.get("bias")!.f32];
}

function expectClose(values: readonly number[], expected: readonly number[]): void {
  values.forEach((value, index) => {
    expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-6);
  });
}

describe("gradients of several batches", () => {
  test("become the update of one batch that holds them all, also where the last is smaller", async () => {
    const optimizer = adam;
    const whole = await withLinear({ optimizer, clippingNorm: 0.5 }, async (session) => {
      session.start(linearParameters(weight, bias));
      session.batch.fill(data, firstOf(8));
      for (let update = 0; update < 3; update++) await session.step(0.1);
      return valuesOf(session);
    });

    const gathered = await withLinear(
      { optimizer, clippingNorm: 0.5, gathers: true },
      async (session) => {
        session.start(linearParameters(weight, bias));
        const updates: boolean[] = [];
        for (let update = 0; update < 3; update++) {
          for (const [from, count] of [
            [0, 3],
            [3, 3],
            [6, 2],
          ] as const) {
            session.batch.read(data, firstOf(count, from));
            session.batch.weigh(1, count);
            await session.step(0.1, from === 6 ? 1 / 16 : 0); // 8 examples of 2 numbers
            updates.push(session.hasUpdated);
          }
        }
        expect(updates).toEqual([false, false, true, false, false, true, false, false, true]);
        return valuesOf(session);
      },
      3,
    );

    expectClose(gathered, whole);
  });
});

describe("a step that guards against what is no finite number", () => {
  const poisoned = linearData([Number.NaN, ...x.slice(1)], y);
  const huge = linearData([3e38, ...x.slice(1)], y);

  test.each([
    ["NaN in the data", poisoned],
    ["a loss that overflows", huge],
  ])("leaves everything as it is for %s, says so, and goes on", async (_, bad) => {
    const take = (given: readonly (typeof data)[]) =>
      withLinear({ optimizer: adam, skips: true }, async (session) => {
        session.start(linearParameters(weight, bias));
        const updates: boolean[] = [];
        for (const dataset of given) {
          session.batch.fill(dataset, firstOf(8));
          await session.step(0.1);
          updates.push(session.hasUpdated);
        }
        return { updates, values: await valuesOf(session) };
      });

    const disturbed = await take([data, bad, data]);
    const undisturbed = await take([data, data]);

    expect(disturbed.updates).toEqual([true, false, true]);
    expect(disturbed.values).toEqual(undisturbed.values);
  });

  test("forgets gathered gradients that were poisoned", async () => {
    const values = await withLinear({ skips: true, gathers: true }, async (session) => {
      session.start(linearParameters(weight, bias));
      for (const [dataset, closes] of [
        [poisoned, 0],
        [data, 1 / 32],
        [data, 1 / 16],
      ] as const) {
        session.batch.read(dataset, firstOf(8));
        session.batch.weigh(1, 8);
        await session.step(0.1, closes);
      }
      return valuesOf(session);
    });
    const expected = await withLinear({}, async (session) => {
      session.start(linearParameters(weight, bias));
      session.batch.fill(data, firstOf(8));
      await session.step(0.1);
      return valuesOf(session);
    });

    expectClose(values, expected);
  });

  test("leaves out an update of whose losses one overflowed, though every gradient is a number", async () => {
    // Huber's gradient stays within its delta: of the infinite loss of the first batch no gradient tells.
    const far = linearData(x, [3e38, 3e38, ...y.slice(2)]);
    const updates = await withLinear(
      { loss: { name: "huber", delta: 100 }, skips: true, gathers: true },
      async (session) => {
        session.start(linearParameters(weight, bias));
        const taken: boolean[] = [];
        for (const [dataset, closes] of [
          [far, 0],
          [data, 1 / 32],
          [data, 1 / 16],
        ] as const) {
          session.batch.read(dataset, firstOf(8));
          session.batch.weigh(1, 8);
          await session.step(0.1, closes);
          taken.push(session.hasUpdated);
        }
        return taken;
      },
    );

    expect(updates).toEqual([false, false, true]);
  });

  test("without the guard one bad number reaches every weight", async () => {
    const values = await withLinear({}, async (session) => {
      session.start(linearParameters(weight, bias));
      session.batch.fill(poisoned, firstOf(8));
      await session.step(0.1);
      return valuesOf(session);
    });

    expect(values.some(Number.isNaN)).toBe(true);
  });
});

test("adds the correction of SCAFFOLD to the gradient: y - η (g + c - cᵢ)", async () => {
  const correction = new ParameterSet([
    ["weight", Tensor.f32([3, 2], Float32Array.from([1, 2, 3, 4, 5, 6]))],
    ["bias", Tensor.f32([2], Float32Array.from([-1, 1]))],
  ]);
  const take = (corrects: boolean) =>
    withLinear({ corrects }, async (session) => {
      session.start(linearParameters(weight, bias), 0, corrects ? { corrections: correction } : {});
      session.batch.fill(data, firstOf(8));
      await session.step(0.1);
      return valuesOf(session);
    });

  const [plain, corrected] = [await take(false), await take(true)];

  const moved = [1, 2, 3, 4, 5, 6, -1, 1].map((number, index) => plain[index]! - 0.1 * number);
  expectClose(corrected, moved);
});

test("holds a model at another one, as strongly as the training says: Ditto's v - η (g + λ (v - w))", async () => {
  const shared = linearParameters([0, 0, 0, 0, 0, 0], [1, 1]);
  const take = (proximal: number) =>
    withLinear({ proximal: 0 }, async (session) => {
      session.start(linearParameters(weight, bias), 0, { reference: shared, proximal });
      session.batch.fill(data, firstOf(8));
      await session.step(0.1);
      return valuesOf(session);
    });

  const [free, held] = [await take(0), await take(0.5)];

  const distances = [...weight, ...[...bias].map((value) => value - 1)];
  const moved = distances.map((distance, index) => free[index]! - 0.1 * 0.5 * distance);
  expectClose(held, moved);
});

test("refuses to start without the corrections that it was compiled with", async () => {
  await withLinear({ corrects: true }, async (session) => {
    expect(() => session.start(linearParameters(weight, bias))).toThrow(RangeError);
  });
});

test("a plain step has no input or output beyond what it needs", () => {
  const step = compileLinear({ optimizer: { name: "sgd", momentum: 0.9 } });

  expect(step).toMatchObject({ scalars: [], references: new Map(), corrections: new Map() });
  expect(step.closes ?? step.updated).toBeUndefined();
  expect(step.states.map(({ input }) => input)).toEqual([
    "weight",
    "bias",
    "photinus/velocity/weight",
    "photinus/velocity/bias",
  ]);
});

describe("a group", () => {
  const gradientless = [{ parameters: ["w*t", "nothing"], learningRateFactor: 0 }];

  test("that does not move leaves its parameters where they are", async () => {
    const values = await withLinear({ groups: gradientless }, async (session) => {
      session.start(linearParameters(weight, bias));
      session.batch.fill(data, firstOf(8));
      await session.step(0.1);
      return valuesOf(session);
    });

    expect(values.slice(0, 6)).toEqual(weight);
    expect(values.slice(6)).not.toEqual(bias);
  });
});
