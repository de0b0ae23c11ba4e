import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import type { ImagesDescription } from "@photinus/training";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import files from "../../../training/test/vectors/data-files/files.json" with { type: "json" };
import { folderData } from "../../src/data/index.ts";

const mnist = fileURLToPath(new URL("../../../../demos/mnist", import.meta.url));
const description: ImagesDescription = {
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
    ["another format", JSON.stringify({ ...description, format: "parquet" })],
    ["fields of another format", JSON.stringify({ ...description, format: "csv" })],
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

describe("a table in the data folder", () => {
  const table = {
    format: "csv",
    training: "houses.csv",
    features: [
      {
        input: "x",
        columns: [
          { column: "rooms", mean: 3, deviation: 2, missing: 5 },
          { column: "city", values: ["Rome", "Oslo"] },
        ],
      },
    ],
    label: { column: "price", deviation: 100 },
  };

  test.each([
    ["csv", 'city,rooms,price\n"Rome",1,200\r\nOslo,,100\n'],
    ["json-lines", '{"city":"Rome","rooms":1,"price":200}\n{"city":"Oslo","rooms":null,"price":100}\n'],
  ])("is read as %s", async (format, text) => {
    await writeFile(join(folder, "houses.csv"), gzipSync(text));
    await writeFile(join(folder, "houses.json"), JSON.stringify({ ...table, format }));

    const { training, heldOut } = await folderData(folder)("houses");
    const into = { features: [new Float32Array(6)], labels: new Float32Array(2) };
    training.read(Uint32Array.of(0, 1), into);

    expect(heldOut).toBeUndefined();
    expect(training).toMatchObject({
      count: 2,
      features: [{ name: "x", dtype: "f32", shape: [3] }],
      labelling: { kind: "numbers", shape: [] },
    });
    expect([...into.features[0]!]).toEqual([-1, 1, 0, 1, 0, 1]);
    expect([...into.labels]).toEqual([2, 1]);
  });

  test("is refused where a cell does not fit its description, by column and row, without the cell", async () => {
    await writeFile(join(folder, "houses.csv"), "city,rooms,price\nRome,1,2\nsecret,1,2\n");
    await writeFile(join(folder, "houses.json"), JSON.stringify(table));

    const outcome = folderData(folder)("houses");

    await expect(outcome).rejects.toMatchObject({
      code: "ERR_DATA_MALFORMED",
      message: "houses.csv: city of row 2 is none of its values",
    });
  });
});

describe("a text in the data folder", () => {
  const text = { format: "text", tokenizer: "bytes", length: 4, training: "a.txt", heldOut: "b.txt.gz" };

  test("becomes examples of the next byte, packed by gzip or not", async () => {
    await writeFile(join(folder, "a.txt"), "photinus");
    await writeFile(join(folder, "b.txt.gz"), gzipSync("glow worm"));
    await writeFile(join(folder, "letters.json"), JSON.stringify({ ...text, stride: 2, dtype: "i32" }));

    const { training, heldOut } = await folderData(folder)("letters");
    const into = { features: [new Int32Array(4)], labels: new Int32Array(4) };
    training.read(Uint32Array.of(1), into);

    expect(training).toMatchObject({ count: 2, features: [{ name: "input_ids", dtype: "i32", shape: [4] }] });
    expect(heldOut?.count).toBe(3);
    expect(Buffer.from(into.features[0]!).toString()).toBe("otin");
    expect(Buffer.from(into.labels).toString()).toBe("tinu");
  });

  test.each([
    ["a tokenizer that is not known", { ...text, tokenizer: "words" }],
    ["no length", { ...text, length: 0 }],
    ["a length beyond the limit", { ...text, length: 65_537 }],
    ["a text that is too short", { ...text, length: 8 }],
  ])("is refused with %s", async (_, description) => {
    await writeFile(join(folder, "a.txt"), "photinus");
    await writeFile(join(folder, "b.txt.gz"), gzipSync("glow worm"));
    await writeFile(join(folder, "letters.json"), JSON.stringify(description));

    await expect(folderData(folder)("letters")).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });
});

describe("arrays in the data folder", () => {
  /** An NPY file of version 1.0. */
  function npy(descr: string, shape: readonly number[], values: ArrayBufferView): Uint8Array {
    const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }\n`;
    const start = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]);
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return Buffer.concat([start, Buffer.from(header), bytes]);
  }

  const arrays = {
    format: "npy",
    classes: 9,
    ignoredLabel: -100,
    training: { features: { input_ids: "ids.npy", mask: "mask.npy" }, labels: "labels.npy" },
  };

  test("are the inputs of a model by name, in the types that NumPy saved", async () => {
    await writeFile(join(folder, "ids.npy"), npy("<i8", [2, 2], BigInt64Array.of(5n, 8n, 7n, 0n)));
    await writeFile(join(folder, "mask.npy"), npy("<f8", [2, 2], Float64Array.of(1, 1, 1, 0)));
    await writeFile(join(folder, "labels.npy"), npy("<i8", [2, 2], BigInt64Array.of(8n, 2n, 0n, -100n)));
    await writeFile(join(folder, "text.json"), JSON.stringify(arrays));

    const { training } = await folderData(folder)("text");
    const into = { features: [new BigInt64Array(2), new Float32Array(2)], labels: new Int32Array(2) };
    training.read(Uint32Array.of(1), into);

    expect(training).toMatchObject({
      count: 2,
      features: [
        { name: "input_ids", dtype: "i64", shape: [2] },
        { name: "mask", dtype: "f32", shape: [2] },
      ],
      labelling: { kind: "classes", classCount: 9, shape: [2] },
    });
    expect([[...into.features[0]!], [...into.features[1]!], [...into.labels]]).toEqual([
      [7n, 0n],
      [1, 0],
      [0, -100],
    ]);
  });

  test.each([
    ["that are no whole numbers", npy("<f4", [1], Float32Array.of(0.5))],
    ["beyond int32", npy("<i8", [1], BigInt64Array.of(2n ** 32n))],
    ["that are no class", npy("<i4", [1], Int32Array.of(9))],
  ])("are refused with labels %s", async (_, labels) => {
    await writeFile(join(folder, "ids.npy"), npy("<i8", [1, 2], BigInt64Array.of(5n, 8n)));
    await writeFile(join(folder, "labels.npy"), labels);
    const training = { features: { input_ids: "ids.npy" }, labels: "labels.npy" };
    await writeFile(join(folder, "text.json"), JSON.stringify({ ...arrays, training }));

    await expect(folderData(folder)("text")).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });
});

describe("an archive of NumPy in the data folder", () => {
  const archive = {
    ...{ format: "npz", classes: 2, mayMiss: ["x"], features: { x: "x", input_ids: "ids" }, labels: "y" },
    training: "d.npz",
  };

  test("holds the inputs of a model by the names that its description gives them", async () => {
    await writeFile(join(folder, "d.npz"), Buffer.from(files.deflated, "base64"));
    await writeFile(join(folder, "d.json"), JSON.stringify(archive));

    const { training } = await folderData(folder)("d");

    expect(training).toMatchObject({
      count: 3,
      features: [
        { name: "x", dtype: "f32", shape: [2], mayMiss: true },
        { name: "input_ids", dtype: "i64", shape: [2] },
      ],
      labelling: { kind: "classes", classCount: 2 },
    });
  });

  test("is refused where it lacks an array", async () => {
    await writeFile(join(folder, "d.npz"), Buffer.from(files.stored, "base64"));
    await writeFile(join(folder, "d.json"), JSON.stringify({ ...archive, labels: "z" }));

    await expect(folderData(folder)("d")).rejects.toMatchObject({
      code: "ERR_DATA_MALFORMED",
      message: "z: there is no array z",
    });
  });
});

describe("pictures in the data folder", () => {
  const pictures = {
    ...{ format: "image-folder", classes: ["cat", "dog"], width: 13, height: 9, channels: 3 },
    training: "train",
  };

  test("are of the class whose folder they lie in, in the order of their names", async () => {
    for (const [name, index] of [
      ["cat/b.png", 3],
      ["cat/a.jpg", 6],
      ["dog/a.png", 4],
    ] as const) {
      await mkdir(join(folder, "train", name.slice(0, 3)), { recursive: true });
      await writeFile(join(folder, "train", name), Buffer.from(files.pictures[index]!.file, "base64"));
    }
    await writeFile(join(folder, "pets.json"), JSON.stringify(pictures));

    const { training } = await folderData(folder)("pets");
    const into = { features: [new Float32Array(3 * 351)], labels: new Int32Array(3) };
    training.read(Uint32Array.of(0, 1, 2), into);

    expect(training).toMatchObject({ count: 3, features: [{ name: "image", shape: [3, 9, 13] }] });
    expect([...into.labels]).toEqual([0, 0, 1]);
    expect(into.features[0]![351]).toBeCloseTo(Buffer.from(files.pictures[3]!.pixels, "base64")[0]! / 255);
  });

  test.each([
    ["a folder that is not there", pictures, "ERR_DATA_MISSING"],
    ["a class that leads elsewhere", { ...pictures, classes: ["cat", "../dog"] }, "ERR_DATA_MALFORMED"],
    ["a class above", { ...pictures, classes: ["cat", ".."] }, "ERR_DATA_MALFORMED"],
    ["pictures of no size", { ...pictures, width: 0 }, "ERR_DATA_MALFORMED"],
  ])("are refused with %s", async (_, description, code) => {
    await writeFile(join(folder, "pets.json"), JSON.stringify(description));

    await expect(folderData(folder)("pets")).rejects.toMatchObject({ code });
  });
});

describe("data larger than memory", () => {
  test("stays in its file, of which a batch is read at a time", async () => {
    const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 6000), }\n";
    const start = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]);
    const path = join(folder, "x.npy");
    await writeFile(path, Buffer.concat([start, Buffer.from(header), Buffer.of(7, 8)]));
    await truncate(path, start.length + header.length + 6_000_000_000); // 6 GB, of which the disk holds a page
    const labels = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000,), }\n";
    const labelStart = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, labels.length, 0]);
    await writeFile(
      join(folder, "y.npy"),
      Buffer.concat([labelStart, Buffer.from(labels), Buffer.alloc(1_000_000)]),
    );
    const training = { features: { x: "x.npy" }, labels: "y.npy" };
    await writeFile(join(folder, "big.json"), JSON.stringify({ format: "npy", classes: 2, training }));

    const { training: dataset } = await folderData(folder)("big");
    const into = { features: [new Int32Array(12_000)], labels: new Int32Array(2) };
    dataset.read(Uint32Array.of(0, 999_999), into);

    expect(dataset.count).toBe(1_000_000);
    expect([...into.features[0]!.subarray(0, 3)]).toEqual([7, 8, 0]);
    await truncate(path, 1000);
    expect(() => dataset.read(Uint32Array.of(5), into)).toThrow(
      expect.objectContaining({ code: "ERR_DATA_MISSING" }),
    );
  });
});

describe("a text with a tokenizer in the data folder", () => {
  test("becomes examples of the tokens of its files", async () => {
    const letters = Array.from({ length: 256 }, (_, byte) => byte).map((byte) =>
      /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : undefined,
    );
    let other = 256;
    const tokens = [...letters.map((letter) => letter ?? String.fromCharCode(other++)), "ab"];
    await writeFile(
      join(folder, "vocab.json"),
      JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id]))),
    );
    await writeFile(join(folder, "merges.txt"), "#version: 0.2\na b\n");
    await writeFile(join(folder, "t.txt"), "abcab");
    const tokenizer = { name: "bpe", vocabulary: "vocab.json", merges: "merges.txt" };
    await writeFile(
      join(folder, "t.json"),
      JSON.stringify({ format: "text", tokenizer, length: 2, training: "t.txt" }),
    );

    const { training } = await folderData(folder)("t");
    const into = { features: [new BigInt64Array(2)], labels: new Int32Array(2) };
    training.read(Uint32Array.of(0), into);

    expect(training).toMatchObject({ count: 1, labelling: { classCount: 257 } });
    expect([[...into.features[0]!], [...into.labels]]).toEqual([
      [256n, 99n],
      [99, 256],
    ]);
  });
});
