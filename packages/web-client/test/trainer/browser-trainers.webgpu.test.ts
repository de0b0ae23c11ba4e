import { expect, test } from "vitest";
import { browserTrainers } from "../../src/trainer/index.ts";
import { expectSameLosses } from "./same-losses.ts";

test("trains the MLP on the software adapter when WebGPU is asked for", async () => {
  await expectSameLosses("mlp", 64);
});

test("does not take the software adapter by itself", async () => {
  const { chosen, trials } = await browserTrainers().check("fastest");

  expect(chosen).toBe("wasm");
  expect(trials[0]?.detail).toContain("software");
});
