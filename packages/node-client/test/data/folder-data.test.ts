import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DataDescription, folderData } from "../../src/data/index.ts";

const mnist = fileURLToPath(new URL("../../../../demos/mnist", import.meta.url));
const description: DataDescription = {
  format: "idx-images",
  classes: 10,
  mean: 0.1307,
  deviation: 0.3081,
  training: {
    images: join(mnist, "train-images-idx3-ubyte.gz"),
    labels: join(mnist, "train-labels-idx1-ubyte.gz"),
  },
  heldOut: {
    images: join(mnist, "t10k-images-idx3-ubyte.gz"),
    labels: join(mnist, "t10k-labels-idx1-ubyte.gz"),
  },
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-data-"));
});
afterEach(() => rm(folder, { recursive: true }));

const describeAs = (text: string): Promise<void> => writeFile(join(folder, "mnist.json"), text);

describe("the data folder of a site", () => {
  test("holds MNIST as its description says", async () => {
    const { training, heldOut } = await folderData(mnist)("mnist");

    expect(training).toMatchObject({
      count: 10_000,
      features: [{ shape: [1, 28, 28] }],
      labelling: { classCount: 10 },
    });
    expect(heldOut?.count).toBe(2_000);
  });

  test("gives the sites of one division every example once", async () => {
    const counts = { training: 0, heldOut: 0 };
    for (const site of [0, 1, 2]) {
      const shard = { site, of: 3, concentration: 0.5, seed: 1, minimumExamples: 500 };
      await describeAs(JSON.stringify({ ...description, shard }));

      const { training, heldOut } = await folderData(folder)("mnist");

      expect(training.count).toBeGreaterThanOrEqual(500);
      counts.training += training.count;
      counts.heldOut += heldOut!.count;
    }
    expect(counts).toEqual({ training: 10_000, heldOut: 2_000 });
  });

  test.each(["absent", "../mnist", "/etc/passwd", "MNIST", ""])("has no data set named %j", async (name) => {
    await describeAs(JSON.stringify(description));

    await expect(folderData(folder)(name)).rejects.toMatchObject({ code: "ERR_DATA_MISSING" });
  });

  test("refuses a description whose files are not there", async () => {
    const training = { images: "absent.gz", labels: "absent.gz" };
    await describeAs(JSON.stringify({ ...description, training }));

    await expect(folderData(folder)("mnist")).rejects.toMatchObject({ code: "ERR_DATA_MISSING" });
  });

  test.each([
    ["no JSON", "{"],
    ["another format", JSON.stringify({ ...description, format: "csv" })],
    ["a field that is not known", JSON.stringify({ ...description, extra: 1 })],
    ["a deviation of zero", JSON.stringify({ ...description, deviation: 0 })],
    [
      "a share that cannot be drawn",
      JSON.stringify({
        ...description,
        shard: { site: 0, of: 3, concentration: 0.5, seed: 1, minimumExamples: 9_000 },
      }),
    ],
    ["more than 64 KiB", " ".repeat(70_000)],
  ])("refuses a description with %s", async (_, text) => {
    await describeAs(text);

    await expect(folderData(folder)("mnist")).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });

  test("refuses a file whose counts are above its size", async () => {
    const images = gunzipSync(await readFile(description.training.images));
    images.writeUInt32BE(60_000, 4);
    await writeFile(join(folder, "images"), images);
    const training = { ...description.training, images: "images" };
    await describeAs(JSON.stringify({ ...description, training }));

    await expect(folderData(folder)("mnist")).rejects.toMatchObject({
      code: "ERR_DATA_MALFORMED",
      message: expect.stringContaining("47040000"),
    });
  });
});
