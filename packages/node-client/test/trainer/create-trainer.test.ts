import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchModel } from "@photinus/training";
import { afterAll, expect, test } from "vitest";
import { learnsInAWorker } from "../../../training/test/reference/learns-in-a-worker.ts";
import { createTrainer } from "../../src/trainer/index.ts";
import { trainerIn } from "../../src/trainer/start-node-trainer.ts";
import { watchChild } from "../../src/trainer/start-worker.ts";

const folder = mkdtempSync(join(tmpdir(), "photinus-child-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { initialParameters } = benchModel("mlp", 1);

// What it does is the contract that packages/training/test/trainer/model-trainer.node.test.ts runs over a port: starting a
// worker takes seconds, so that one shows here that the worker is that port's other end.
test("a trainer in a worker thread learns there, reports, stops, and takes single steps", async () => {
  const trainer = await learnsInAWorker((options) => createTrainer({ ...options, device: "cpu" }));

  expect(trainer).toMatchObject({ device: "cpu", rejected: [] });
  expect(trainer.memory.availableBytes).toBeGreaterThan(trainer.memory.neededBytes);
  await trainer.dispose();
});

test("a provider that aborts its process takes the trainer along, and not this process", async () => {
  const file = join(folder, "aborts.mjs");
  writeFileSync(file, 'process.on("message", () => process.abort());');
  const child: ChildProcess = fork(file, {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const trainer = trainerIn(watchChild(child));
  const { signal } = new AbortController();

  await expect(trainer.evaluate(initialParameters, { signal })).rejects.toMatchObject({
    code: "ERR_TRAINER_LOST",
    message: expect.stringContaining("SIGABRT"),
  });
  await trainer.close();
});
