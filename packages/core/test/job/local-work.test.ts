import { expect, test } from "vitest";
import { localWork, plannedSteps } from "../../src/job/index.ts";

const sgd = (momentum: number) => ({ name: "sgd", learningRate: 0.1, momentum }) as const;

test("the local work of SGD is its steps, and with gathered batches its updates", () => {
  expect(localWork({ optimizer: sgd(0) }, 7)).toBe(7);
  expect(localWork({ optimizer: sgd(0), batchesPerUpdate: 3 }, 7)).toBe(3);
  expect(localWork({ optimizer: { name: "adam", learningRate: 1 } }, 7)).toBe(7);
});

test("with momentum a gradient counts in every step after it", () => {
  let velocity = 0;
  let way = 0; // of a gradient of 1, in learning rates
  for (let step = 0; step < 5; step++) {
    velocity = 0.9 * velocity + 1;
    way += velocity;
  }

  expect(localWork({ optimizer: sgd(0.9) }, 5)).toBeCloseTo(way, 10);
});

test("held at the received model a site goes less far with each step", () => {
  let way = 0;
  for (let step = 0; step < 5; step++) way += 1 - 0.1 * 0.5 * way;

  expect(localWork({ optimizer: sgd(0), proximal: 0.5 }, 5)).toBeCloseTo(way, 10);
});

test("the steps that a job asks for are its passes over the examples, the last batch of each included", () => {
  expect(plannedSteps({ localEpochs: 2, batchSize: 64 }, 100)).toBe(4);
});
