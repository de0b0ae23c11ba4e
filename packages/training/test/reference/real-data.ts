import { readFileSync } from "node:fs";
import { utf8 } from "@photinus/core/bytes";
import {
  arrayDataset,
  type BatchArray,
  type Dataset,
  imageDataset,
  MNIST_PIXELS,
  parseJsonLines,
  tableDataset,
  textDataset,
} from "../../src/data/index.ts";
import { seededRandom, shuffledIndices } from "../../src/random.ts";

const read = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(name, import.meta.url)));

/** Every `step`-th example of a data set, or all others. */
export function everyNth(dataset: Dataset, step: number, isRest: boolean): Dataset {
  const order = shuffledIndices(dataset.count, seededRandom(9));
  const kept = order.filter((_, at) => (at % step === 0) !== isRest);
  return {
    ...dataset,
    count: kept.length,
    read: (indices, into) =>
      dataset.read(
        indices.map((at) => kept[at]!),
        into,
      ),
  };
}

/** Penguins: 4 measures and 3 islands to 3 species. */
export function penguins(): Dataset {
  const measure = (column: string, mean: number, deviation: number) => ({
    column,
    mean,
    deviation,
    missing: mean,
  });
  return tableDataset(parseJsonLines(read("../vectors/real-data/penguins.jsonl"), "penguins"), {
    name: "penguins",
    features: [
      {
        input: "x",
        columns: [
          measure("Beak Length (mm)", 44, 5.5),
          measure("Beak Depth (mm)", 17, 2),
          measure("Flipper Length (mm)", 201, 14),
          measure("Body Mass (g)", 4200, 800),
          { column: "Island", values: ["Torgersen", "Biscoe", "Dream"] },
        ],
      },
    ],
    label: { column: "Species", values: ["Adelie", "Chinstrap", "Gentoo"] },
  });
}

/** The first `count` digits of MNIST. */
export function digits(count: number, files: "train" | "t10k" = "train"): Promise<Dataset> {
  const folder = "../../../../demos/mnist";
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  const images = {
    images: read(`${folder}/${files}-images-idx3-ubyte.gz`),
    labels: read(`${folder}/${files}-labels-idx1-ubyte.gz`),
  };
  return imageDataset(images, { ...MNIST_PIXELS, name: files, indices });
}

/** Digits with noise over them; of each pixel whether it is ink. */
export async function inkOfDigits(count: number): Promise<Dataset> {
  const dataset = await digits(count);
  const values = new Float32Array(count * 784);
  dataset.read(
    Uint32Array.from({ length: count }, (_, index) => index),
    { features: [values], labels: new Int32Array(count) },
  );
  const random = seededRandom(4);
  return arrayDataset("ink", {
    features: [
      { name: "image", shape: [1, 28, 28], values: values.map((value) => value + 0.5 * random.normal()) },
    ],
    labels: { shape: [1, 28, 28], values: values.map((value) => (value > 1 ? 1 : 0)) },
  });
}

interface Mails {
  readonly ham: readonly string[];
  readonly spam: readonly string[];
}

// Written by make.mjs.
const mails = (): Mails =>
  JSON.parse(readFileSync(new URL("../vectors/real-data/mails.json", import.meta.url), "utf8")) as Mails;

/** Wanted mails behind one another; the next byte. */
export const letters = (length: number): Dataset =>
  textDataset(utf8(mails().ham.slice(0, 30).join("\n")), { name: "mails", length });

/** Mails by their first `length` bytes: spam or not; with a mask of what is no padding where a model takes one. */
export function spam(length: number, hasMask: boolean): Dataset {
  const { ham, spam: unwanted } = mails();
  const all = [...ham, ...unwanted].map((text) => utf8(text).subarray(0, length));
  const placed = (of: (byte: number) => bigint): BatchArray => {
    const values = new BigInt64Array(all.length * length);
    all.forEach((bytes, row) => {
      bytes.forEach((byte, at) => {
        values[row * length + at] = of(byte);
      });
    });
    return values;
  };
  const ids = { name: "input_ids", shape: [length], values: placed((byte) => BigInt(byte)) };
  const mask = { name: "attention_mask", shape: [length], values: placed(() => 1n) };
  const values = Int32Array.from(all, (_, index) => (index < ham.length ? 0 : 1));
  return arrayDataset("spam", { features: hasMask ? [ids, mask] : [ids], labels: { values, classCount: 2 } });
}
