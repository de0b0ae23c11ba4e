import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderData } from "@photinus/node-client";
import { parseIdx } from "@photinus/training";
import { expect, onTestFinished, test } from "vitest";
import { MNIST_FILES, writePageShard, writeSiteData } from "../../src/demo/mnist-data.ts";

const MNIST = fileURLToPath(new URL("../../../../demos/mnist/", import.meta.url));

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test.each([1, 3, 16])(
  "divides all images among %i sites, at least 500 each where that is possible",
  async (sites) => {
    const folder = await temporary();
    const counts = { training: 0, heldOut: 0, fewest: Number.POSITIVE_INFINITY };

    for (let site = 0; site < sites; site++) {
      await writeSiteData(join(folder, `site-${site}`), MNIST, { site, sites, seed: 1 });
      const { training, heldOut } = await folderData(join(folder, `site-${site}`))("mnist");
      counts.training += training.count;
      counts.heldOut += heldOut?.count ?? 0;
      counts.fewest = Math.min(counts.fewest, training.count);
    }

    expect(counts).toMatchObject({ training: 10_000, heldOut: 2_000 });
    expect(counts.fewest).toBeGreaterThanOrEqual(Math.min(500, Math.floor(10_000 / sites / 4)));
  },
);

test("offers a page the first images, each with its label, and a manifest that names source and licence", async () => {
  const folder = await temporary();

  await writePageShard(folder, MNIST);

  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  expect(manifest).toMatchObject({ dataName: "mnist", licence: "CC BY-SA 3.0" });
  const read = async (name: string) => parseIdx(new Uint8Array(await readFile(join(folder, name))), name);
  expect((await read(manifest.files.trainingImages)).shape).toEqual([1_000, 28, 28]);
  expect((await read(manifest.files.heldOutLabels)).shape).toEqual([200]);
  // The first five labels of MNIST.
  expect([...(await read(manifest.files.trainingLabels)).values.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
});

test("says which file is missing", async () => {
  await expect(writePageShard(await temporary(), await temporary())).rejects.toMatchObject({
    code: "ERR_DATA_MISSING",
    message: expect.stringContaining("train-images-idx3-ubyte"),
  });
});

test("refuses a file whose header promises more than it holds", async () => {
  const folder = await temporary();
  const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28);
  await writeFile(join(folder, MNIST_FILES.trainingImages), header);

  await expect(writePageShard(await temporary(), folder)).rejects.toMatchObject({
    code: "ERR_DATA_MALFORMED",
  });
});
