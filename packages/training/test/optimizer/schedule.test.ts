import { expect, test } from "vitest";
import { rateFactor } from "../../src/optimizer/index.ts";

const step = { name: "step", everyEpochs: 2, factor: 0.5 } as const;
const cosine = { name: "cosine", epochs: 10, floor: 0.2 } as const;
const linear = { name: "linear", epochs: 4, warmupEpochs: 2 } as const;

test.each([
  [undefined, 3, 1],
  [{ name: "constant" } as const, 3, 1],
  [{ name: "constant", warmupEpochs: 4 } as const, 1, 0.25],
  [{ name: "constant", warmupEpochs: 4 } as const, 4, 1],
  [step, 1.99, 1],
  [step, 2, 0.5],
  [step, 6, 0.125],
  [cosine, 0, 1],
  [cosine, 5, 0.6],
  [cosine, 10, 0.2],
  [cosine, 25, 0.2],
  [linear, 1, 0.5],
  [linear, 2, 1],
  [linear, 5, 0.25],
  [linear, 100, 0],
])("%j at epoch %s multiplies the rate with %s", (schedule, epoch, factor) => {
  expect(rateFactor(schedule, epoch)).toBeCloseTo(factor, 12);
});
