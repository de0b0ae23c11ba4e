// Runs in a page only: the worker of web-client trains on WebAssembly; Node's twin stands in training.
import { expect, test } from "vitest";
import { learnsMnist, MNIST_AIMS, mnist } from "../../../training/test/reference/learns-mnist.ts";
import { createTrainer } from "../../src/trainer/index.ts";

const FILES = new Map([
  [
    "train-images-idx3-ubyte.gz",
    new URL("../../../../demos/mnist/train-images-idx3-ubyte.gz", import.meta.url),
  ],
  [
    "train-labels-idx1-ubyte.gz",
    new URL("../../../../demos/mnist/train-labels-idx1-ubyte.gz", import.meta.url),
  ],
  [
    "t10k-images-idx3-ubyte.gz",
    new URL("../../../../demos/mnist/t10k-images-idx3-ubyte.gz", import.meta.url),
  ],
  [
    "t10k-labels-idx1-ubyte.gz",
    new URL("../../../../demos/mnist/t10k-labels-idx1-ubyte.gz", import.meta.url),
  ],
]);

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = FILES.get(name);
  if (url === undefined) throw new RangeError(`no file ${name}`);
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

test.each(MNIST_AIMS)(
  "the %s learns MNIST to %d in a page, on WebAssembly",
  { timeout: 600_000 },
  async (...aim) => {
    const data = await mnist(read);

    await learnsMnist((options) => createTrainer({ ...options, device: "wasm" }), data, aim);

    expect(data.heldOut.count).toBe(2_000);
  },
);
