import { type Bytes, concatBytes } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gunzip, imageDataset, parseIdx } from "../../src/data/index.ts";

function anIdxFile(shape: readonly number[], values: Uint8Array): Bytes {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, 8);
  header.setUint8(3, shape.length);
  shape.forEach((size, axis) => {
    header.setUint32(4 + 4 * axis, size);
  });
  return concatBytes(new Uint8Array(header.buffer), values);
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const images = anIdxFile(
  [3, 2, 2],
  Uint8Array.from({ length: 12 }, (_, index) => index * 20),
);
const labels = anIdxFile([3], Uint8Array.of(1, 0, 2));
const options = { classCount: 3, mean: 0.5, deviation: 2, name: "training" };

describe("parseIdx", () => {
  test("reads shape and elements", () => {
    expect(parseIdx(labels, "labels")).toEqual({ shape: [3], values: Uint8Array.of(1, 0, 2) });
  });

  test.each([
    ["a count above the file's size", anIdxFile([1000], new Uint8Array(3))],
    ["a count of 2^32 - 1 images", anIdxFile([2 ** 32 - 1, 2 ** 16, 2 ** 16], new Uint8Array(3))],
    ["bytes behind the elements", anIdxFile([2], new Uint8Array(3))],
    ["another magic number", Uint8Array.of(1, 2, 8, 1, 0, 0, 0, 0)],
    ["elements that are no bytes", Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 0)],
    ["no dimension", Uint8Array.of(0, 0, 8, 0)],
    ["255 dimensions", Uint8Array.of(0, 0, 8, 255, 0, 0, 0, 1)],
    ["an end inside the header", Uint8Array.of(0, 0, 8, 3, 0, 0)],
    ["nothing", new Uint8Array(0)],
  ])("refuses %s", (_, bytes) => {
    expect(() => parseIdx(bytes, "file")).toThrow(expect.objectContaining({ code: "ERR_DATA_MALFORMED" }));
  });

  test("ends in an array or a typed error for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          parseIdx(Uint8Array.from(bytes), "file");
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_DATA_MALFORMED" });
        }
      }),
    );
  });
});

describe("gunzip", () => {
  test("unpacks gzip and leaves other bytes alone", async () => {
    expect(await gunzip(await gzip(labels), "labels")).toEqual(labels);
    expect(await gunzip(labels, "labels")).toBe(labels);
  });

  test("refuses data that unpacks to more than the limit", async () => {
    const bomb = await gzip(new Uint8Array(1_000_000));

    await expect(gunzip(bomb, "bomb", 100_000)).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });

  test("refuses damaged data", async () => {
    const packed = await gzip(images);

    await expect(gunzip(packed.slice(0, 20), "cut")).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });
});

describe("imageDataset", () => {
  test("scales pixels and reads examples by position", async () => {
    const dataset = await imageDataset({ images: await gzip(images), labels }, options);
    const [examples, labelled] = [new Float32Array(8), new Int32Array(2)];
    const into = { features: [examples], labels: labelled };

    dataset.read(Uint32Array.of(2, 0), into);

    expect(dataset).toMatchObject({
      count: 3,
      features: [{ dtype: "f32", shape: [1, 2, 2] }],
      labelling: { kind: "classes", classCount: 3 },
    });
    expect([...labelled]).toEqual([2, 1]);
    expect(examples[0]).toBeCloseTo((160 / 255 - 0.5) / 2, 6);
    expect(examples[4]).toBeCloseTo(-0.25, 6);
  });

  test("holds only the examples of its indices", async () => {
    const dataset = await imageDataset({ images, labels }, { ...options, indices: Uint32Array.of(1) });
    const into = { features: [new Float32Array(4)], labels: new Int32Array(1) };

    dataset.read(Uint32Array.of(0), into);

    expect(dataset.count).toBe(1);
    expect(into.labels[0]).toBe(0);
  });

  test.each([
    ["another number of labels", { images, labels: anIdxFile([2], Uint8Array.of(1, 0)) }, options],
    ["a label that is no class", { images, labels }, { ...options, classCount: 2 }],
    ["labels as images", { images: labels, labels }, options],
    ["images as labels", { images, labels: images }, options],
    ["an index beyond the images", { images, labels }, { ...options, indices: Uint32Array.of(3) }],
  ])("refuses %s", async (_, files, given) => {
    await expect(imageDataset(files, given)).rejects.toMatchObject({ code: "ERR_DATA_MALFORMED" });
  });
});
