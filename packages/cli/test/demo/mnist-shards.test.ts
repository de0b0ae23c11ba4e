import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseIdx } from "@photinus/training";
import { expect, onTestFinished, test } from "vitest";
import { MNIST_FILES, readMnist, writePageShard, writeSiteShards } from "../../src/demo/mnist-shards.ts";

const MNIST = fileURLToPath(new URL("../../../../demos/mnist/", import.meta.url));

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function countIn(folder: string, name: string): Promise<number> {
  const bytes = new Uint8Array(await readFile(join(folder, name)));
  return parseIdx(bytes, name).shape[0] ?? 0;
}

test.each([1, 3, 16])(
  "divides all images among %i sites, at least 500 each where that is possible",
  async (sites) => {
    const folder = await temporary();

    await writeSiteShards(await readMnist(MNIST), { sites, seed: 1 }, (index) =>
      join(folder, `site-${index}`),
    );

    const counts = { training: [] as number[], heldOut: [] as number[] };
    for (let index = 0; index < sites; index++) {
      const site = join(folder, `site-${index}`);
      counts.training.push(await countIn(site, MNIST_FILES.trainingImages));
      counts.heldOut.push(await countIn(site, MNIST_FILES.heldOutImages));
      expect(await countIn(site, MNIST_FILES.trainingLabels)).toBe(counts.training[index]);
      expect(await countIn(site, MNIST_FILES.heldOutLabels)).toBe(counts.heldOut[index]);
    }
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    expect(sum(counts.training)).toBe(10_000);
    expect(sum(counts.heldOut)).toBe(2_000);
    expect(Math.min(...counts.training)).toBeGreaterThanOrEqual(
      Math.min(500, Math.floor(10_000 / sites / 4)),
    );
  },
);

test("keeps each image with its label", async () => {
  const folder = await temporary();
  const mnist = await readMnist(MNIST);

  await writePageShard(mnist, folder);

  const shard = await readMnist(folder);
  expect(shard.training.images.shape).toEqual([1_000, 28, 28]);
  expect(shard.training.images.values).toEqual(mnist.training.images.values.subarray(0, 1_000 * 784));
  expect(shard.training.labels.values).toEqual(mnist.training.labels.values.subarray(0, 1_000));
  expect(shard.heldOut.labels.values).toEqual(mnist.heldOut.labels.values.subarray(0, 200));
});

test("says which file is missing", async () => {
  await expect(readMnist(await temporary())).rejects.toMatchObject({
    code: "ERR_DATA_MISSING",
    message: expect.stringContaining("train-images-idx3-ubyte"),
  });
});

test("refuses a file whose header promises more than it holds", async () => {
  const folder = await temporary();
  const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28);
  await writeFile(join(folder, MNIST_FILES.trainingImages), header);

  await expect(readMnist(folder)).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
});
