import { describe, expect, test } from "vitest";
import { type ServerOptimizerDefinition, serverOptimizer } from "../../src/aggregation/index.ts";
import { toBytes } from "../../src/bytes/index.ts";
import { layoutOf } from "../../src/tensor/index.ts";
import { virtualClock } from "../../src/testing/index.ts";

const LAYOUT = layoutOf([
  { name: "w", dtype: "f32", shape: [2] },
  { name: "norm.running_var", dtype: "f32", shape: [1] },
]);

const ROUND = { clock: virtualClock(), contributions: 2 };

/** What the model moves by, round for round, when every round brings these changes. */
async function steps(
  definition: ServerOptimizerDefinition,
  rounds: readonly (readonly number[])[],
): Promise<number[][]> {
  const optimizer = serverOptimizer(definition, LAYOUT);
  const state = optimizer.start();
  const moved: number[][] = [];
  for (const [w0 = 0, w1 = 0, variance = 0] of rounds) {
    const update = toBytes(Float32Array.of(w0, w1, 0, 0, variance));
    await optimizer.apply(update, state, ROUND);
    moved.push([...new Float32Array(update.buffer)]);
  }
  return moved;
}

describe("a server optimizer", () => {
  test("with η = 1 and no momentum moves by the aggregate itself", async () => {
    const [first] = await steps({ name: "momentum", learningRate: 1, momentum: 0 }, [[0.5, -2, 1]]);

    expect(first).toEqual([0.5, -2, 0, 0, 1]);
  });

  test("leaves what is averaged to the mean, and padding at zero", async () => {
    const definition = { name: "adam", learningRate: 0.5, averaged: ["*.running_var"] } as const;

    const moved = await steps(definition, [
      [1, 1, 0.25],
      [1, 1, 0.25],
    ]);

    expect(moved.map((step) => step.slice(2))).toEqual([
      [0, 0, 0.25],
      [0, 0, 0.25],
    ]);
  });

  test.each(["momentum", "adagrad", "adam", "yogi"] as const)(
    "%s stays finite after an absurd round",
    async (name) => {
      const moved = await steps({ name, learningRate: 10 }, [
        [3e38, -3e38, 0],
        [3e38, -3e38, 0],
        [1, 1, 1],
      ]);

      expect(moved.flat().every(Number.isFinite)).toBe(true);
    },
  );

  test("refuses a state of another length", async () => {
    const optimizer = serverOptimizer({ name: "momentum" }, LAYOUT);

    const applying = optimizer.apply(new Uint8Array(20), new Uint8Array(4), ROUND);

    await expect(applying).rejects.toThrow(RangeError);
  });
});
