import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom, shuffledIndices } from "../src/random.ts";

describe("seededRandom", () => {
  test("gives one sequence for one seed, in every runtime", () => {
    const random = seededRandom(1);

    expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([
      393_288_148, 2_174_103_013, 3_814_759_091,
    ]);
  });

  test("is uniform", () => {
    const random = seededRandom(2);
    const counts = new Array<number>(10).fill(0);

    for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)]!++;

    // Each count is binomial with mean 10 000 and standard deviation 95.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  test("is normal with mean 0 and variance 1", () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 50_000 }, () => random.normal());

    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.025);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });
});

test("a shuffle holds every index once", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(), (count, seed) => {
      const indices = shuffledIndices(count, seededRandom(seed));

      expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    }),
  );
});
