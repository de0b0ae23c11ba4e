// Runs in Node only: it reads files and trains on onnxruntime-node; the page's twin stands in web-client.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createTrainer } from "../../src/trainer/index.ts";
import { learnsMnist, MNIST_AIMS, mnist } from "../reference/learns-mnist.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

const clock = { now: () => 0, after: () => ({ cancel: () => undefined }), yield: async () => undefined };

test.each(MNIST_AIMS)("the %s learns MNIST to %d in Node", async (...aim) => {
  const folder = new URL("../../../../demos/mnist/", import.meta.url);
  const data = await mnist(async (name) => new Uint8Array(readFileSync(new URL(name, folder))));

  await learnsMnist((options) => createTrainer({ ...options, runtimes: [cpuRuntime()], clock }), data, aim);

  expect(data.heldOut.count).toBe(2_000);
});
