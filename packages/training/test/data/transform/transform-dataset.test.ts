import type { TransformDefinition } from "@photinus/core/job";
import { describe, expect, test } from "vitest";
import { arrayDataset, type Dataset, transformDataset } from "../../../src/data/index.ts";
import { seededRandom } from "../../../src/random.ts";

const labels = { values: Int32Array.of(0), classCount: 2 };

function pictures(values: Float32Array, shape: readonly number[]): Dataset {
  return arrayDataset("d", { features: [{ name: "image", shape, values }], labels });
}

function readFirst(dataset: Dataset, length: number): number[] {
  const into = { features: [new Float32Array(length)], labels: new Int32Array(1) };
  dataset.read(Uint32Array.of(0), into);
  return [...into.features[0]!];
}

describe("transforms of a job", () => {
  const image = pictures(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 2]);

  test("are nothing where there are none", () => {
    expect(transformDataset(image, [])).toBe(image);
  });

  test("normalize by one number for all, or one for each channel", () => {
    const all = transformDataset(image, [{ name: "normalize", mean: [1], deviation: [2] }]);
    const each = transformDataset(image, [{ name: "normalize", mean: [1, 5], deviation: [1, 10] }]);

    expect(readFirst(all, 8)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    expect(readFirst(each, 8).map((value) => Math.round(value * 10) / 10)).toEqual([
      0, 1, 2, 3, 0, 0.1, 0.2, 0.3,
    ]);
  });

  test("impute what is missing, before what comes behind it", () => {
    const features = [
      { name: "x", shape: [3], values: Float32Array.of(Number.NaN, 4, Number.NaN), mayMiss: true },
    ];
    const dataset = transformDataset(arrayDataset("d", { features, labels }), [
      { name: "impute", value: [2, 0, 6] },
      { name: "normalize", mean: [2], deviation: [2] },
    ]);

    expect(dataset.features).toEqual([{ name: "x", dtype: "f32", shape: [3] }]);
    expect(readFirst(dataset, 3)).toEqual([0, 1, 2]);
  });

  test("make numbers of class ids", () => {
    const features = [{ name: "ward", shape: [2], values: BigInt64Array.of(2n, 0n) }];
    const dataset = transformDataset(arrayDataset("d", { features, labels }), [
      { name: "one-hot", input: "ward", classes: 3 },
    ]);

    expect(dataset.features).toEqual([{ name: "ward", dtype: "f32", shape: [2, 3] }]);
    expect(readFirst(dataset, 6)).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test("crop and flip by the seed, and not at all in an evaluation", () => {
    const transforms = [
      { name: "crop", padding: 1 },
      { name: "flip", direction: "horizontal" },
    ] as const;
    const drawn = (seed: number) => {
      const dataset = transformDataset(image, transforms, seededRandom(seed));
      return Array.from({ length: 40 }, () => readFirst(dataset, 8).join());
    };

    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(readFirst(transformDataset(image, transforms), 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const kinds = new Set(drawn(1));
    // Moved by -1, 0 or 1 each way, mirrored or not; the channels move together.
    expect(kinds).toContain("0,0,0,1,0,0,0,5");
    expect(kinds).toContain("2,1,4,3,6,5,8,7");
    for (const kind of kinds) {
      const values = kind.split(",").map(Number);
      expect(values.slice(4)).toEqual(values.slice(0, 4).map((value) => (value === 0 ? 0 : value + 4)));
    }
  });

  test("flip upside down", () => {
    const dataset = transformDataset(image, [{ name: "flip", direction: "vertical" }], seededRandom(3));
    const kinds = new Set(Array.from({ length: 20 }, () => readFirst(dataset, 8).join()));

    expect(kinds).toEqual(new Set(["1,2,3,4,5,6,7,8", "3,4,1,2,7,8,5,6"]));
  });

  test.each<[string, Dataset, TransformDefinition, RegExp]>([
    [
      "an input that there is not",
      image,
      { name: "crop", input: "x", padding: 1 },
      /input x, the data has image/,
    ],
    [
      "another number of channels",
      image,
      { name: "normalize", mean: [1, 2, 3], deviation: [1, 1, 1] },
      /f32\[3, \.\.\.\]/,
    ],
    [
      "fewer deviations than means",
      image,
      { name: "normalize", mean: [1, 2], deviation: [1] },
      /as many deviations as means/,
    ],
    [
      "numbers where ids are taken",
      image,
      { name: "one-hot", classes: 3 },
      /takes i32 or i64, image is f32\[2,2,2\]/,
    ],
    [
      "what is no picture",
      pictures(Float32Array.of(1), [1]),
      { name: "flip", direction: "vertical" },
      /channels, rows, columns/,
    ],
  ])("are refused for %s", (_, dataset, transform, message) => {
    expect(() => transformDataset(dataset, [transform])).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_SHAPE", message: expect.stringMatching(message) }),
    );
  });

  test("refuse a class id that is none, without saying of whom", () => {
    const features = [{ name: "ward", shape: [], values: Int32Array.of(9) }];
    const dataset = transformDataset(arrayDataset("d", { features, labels }), [
      { name: "one-hot", classes: 3 },
    ]);

    expect(() => readFirst(dataset, 3)).toThrow(expect.objectContaining({ code: "ERR_DATA_MALFORMED" }));
  });
});
