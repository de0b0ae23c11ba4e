import { describe, expect, test } from "vitest";
import { partitionByLabel } from "../../src/data/index.ts";

const labels = {
  training: Uint8Array.from({ length: 10_000 }, (_, index) => index % 10),
  heldOut: Uint8Array.from({ length: 2_000 }, (_, index) => (index * 7) % 10),
};
const options = { sites: 3, concentration: 0.5, seed: 1, minimumExamples: 500 };

describe("partitionByLabel", () => {
  test("gives every example to one site", () => {
    const sites = partitionByLabel(labels, options);

    const training = sites.flatMap((site) => [...site.training]).sort((a, b) => a - b);
    const heldOut = sites.flatMap((site) => [...site.heldOut]).sort((a, b) => a - b);
    expect(training).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    expect(heldOut).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
  });

  test("gives every site the minimum", () => {
    for (let seed = 0; seed < 10; seed++) {
      const sizes = partitionByLabel(labels, { ...options, sites: 6, seed }).map(
        ({ training }) => training.length,
      );

      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(500);
    }
  });

  test("gives one division for one seed, in every runtime", () => {
    expect(partitionByLabel(labels, options)).toEqual(partitionByLabel(labels, options));
    expect(partitionByLabel(labels, options)).not.toEqual(partitionByLabel(labels, { ...options, seed: 2 }));
    expect(partitionByLabel(labels, options).map(({ training }) => training.length)).toEqual([
      2367, 4161, 3472,
    ]);
  });

  test("gives sites different mixtures of classes when the concentration is small", () => {
    const share = (concentration: number): number => {
      const [first] = partitionByLabel(labels, { ...options, concentration, minimumExamples: 100 });
      const counts = new Array<number>(10).fill(0);
      for (const position of first!.training) counts[labels.training[position]!]!++;
      return Math.max(...counts) / first!.training.length;
    };

    expect(share(0.2)).toBeGreaterThan(0.15);
    expect(share(1000)).toBeLessThan(0.12);
  });

  test("refuses a minimum that cannot be met", () => {
    expect(() => partitionByLabel(labels, { ...options, minimumExamples: 4000 })).toThrow(RangeError);
  });
});
