import { type AggregationDefinition, robust } from "@photinus/core/aggregation";
import { toBytes } from "@photinus/core/bytes";
import { createKernels, javascriptKernels } from "@photinus/core/kernels";
import { layoutOf } from "@photinus/core/tensor";
import { memoryScratch, seededRandom } from "@photinus/core/testing";
import { aggregatorContract } from "@photinus/core/testing/contracts";
import { describe, expect, test } from "vitest";
import { aggregated, modulesOf } from "./robust-rules.ts";

const RULES: readonly (readonly [string, AggregationDefinition])[] = [
  ["median", { name: "median", byzantine: 0 }],
  ["trimmed-mean", { name: "trimmed-mean", byzantine: 1 }],
  ["geometric-median", { name: "geometric-median", byzantine: 0 }],
  ["centered-clipping", { name: "centered-clipping", byzantine: 0, radius: 10, iterations: 3 }],
  ["krum", { name: "krum", byzantine: 0 }],
  ["multi-krum", { name: "multi-krum", byzantine: 0, selected: 1 }],
  ["median of mixed", { name: "median", byzantine: 1, mixing: { name: "nearest-neighbours" } }],
  ["krum of mixed", { name: "krum", byzantine: 0, mixing: { name: "nearest-neighbours" } }],
];

for (const [name, definition] of RULES) {
  aggregatorContract(name, (layout, modules) => robust(layout, modules, definition));
}

const of = (...values: readonly number[]): Float32Array => Float32Array.from(values);

describe("by hand", () => {
  test("the median of an odd number is the middle value of each coordinate, of an even one the mean of two", async () => {
    const updates = [of(1, 9), of(5, -2), of(2, 4)];

    expect([...(await aggregated({ name: "median", byzantine: 1 }, updates))]).toEqual([2, 4]);
    expect([...(await aggregated({ name: "median", byzantine: 1 }, [...updates, of(3, 0)]))]).toEqual([
      2.5, 2,
    ]);
  });

  test("the trimmed mean leaves out the f smallest and the f largest of each coordinate", async () => {
    const updates = [of(100, 1), of(1, 2), of(2, -50), of(3, 3), of(-7, 60)];

    expect([...(await aggregated({ name: "trimmed-mean", byzantine: 1 }, updates))]).toEqual([2, 2]);
    expect([...(await aggregated({ name: "trimmed-mean", byzantine: 2 }, updates))]).toEqual([2, 2]);
  });

  test("krum is the update nearest to its neighbours, multi-krum the mean of the best", async () => {
    const updates = [of(0), of(1), of(2.5), of(90), of(1.25)];

    // f = 1, two nearest others. 0: 1 + 1.5625; 1: 0.0625 + 1; 2.5: 1.5625 + 2.25; 1.25: 0.0625 + 1.5625.
    expect([...(await aggregated({ name: "krum", byzantine: 1 }, updates))]).toEqual([1]);
    const two = await aggregated({ name: "multi-krum", byzantine: 1, selected: 2 }, updates);
    expect([...two]).toEqual([1.125]);
  });

  test("the geometric median of a triangle is its Fermat point, and weights pull it", async () => {
    // Equilateral: the centre. Its corners: distance 1 from the origin, moved by (3, 1).
    const half = Math.sqrt(3) / 2;
    const corners = [of(4, 1), of(2.5, 1 + half), of(2.5, 1 - half)];

    const centre = await aggregated({ name: "geometric-median", byzantine: 1 }, corners);
    expect(Math.hypot((centre[0] ?? 0) - 3, (centre[1] ?? 0) - 1)).toBeLessThan(1e-5);
    // More than half of the weight in one corner: the corner itself (Weiszfeld's condition).
    const corner = await aggregated({ name: "geometric-median", byzantine: 1 }, corners, {
      weights: [5, 2, 2],
    });
    expect(Math.hypot((corner[0] ?? 0) - 4, (corner[1] ?? 0) - 1)).toBeLessThan(1e-3);
  });

  test("centered clipping pulls each update to within the radius of the estimate", async () => {
    const updates = [of(1), of(-1), of(40)];
    const once = await aggregated(
      { name: "centered-clipping", byzantine: 1, radius: 3, iterations: 1 },
      updates,
    );
    const twice = await aggregated(
      { name: "centered-clipping", byzantine: 1, radius: 3, iterations: 2 },
      updates,
    );

    expect(once[0]).toBeCloseTo((1 - 1 + 3) / 3, 6);
    expect(twice[0]).toBeCloseTo(1 + (0 - 2 + 3) / 3, 6);
  });

  test("nearest-neighbour mixing replaces each update by the mean of its n − f nearest", async () => {
    const updates = [of(0), of(1), of(3), of(100)];
    const definition = { name: "median", byzantine: 1, mixing: { name: "nearest-neighbours" } } as const;

    // 0, 1 and 3: (0 + 1 + 3) / 3; 100: (100 + 3 + 1) / 3.
    expect((await aggregated(definition, updates))[0]).toBeCloseTo(4 / 3, 6);
  });

  test("bucketing averages every update once: the mean of the buckets' means is the mean", async () => {
    const updates = Array.from({ length: 12 }, (_, index) => of(index, index ** 2));
    const mixing = { name: "bucketing", size: 3 } as const;

    const mean = await aggregated({ name: "trimmed-mean", byzantine: 0, mixing }, updates);

    expect(mean[0]).toBeCloseTo(5.5, 5);
    expect(mean[1]).toBeCloseTo(506 / 12, 4);
  });

  test("bucketing draws the same buckets whatever the order in which updates come", async () => {
    const random = seededRandom("buckets");
    const updates = Array.from({ length: 10 }, () =>
      Float32Array.from({ length: 8 }, () => random.uniform()),
    );
    const definition = { name: "median", byzantine: 1, mixing: { name: "bucketing", size: 2 } } as const;

    const forward = await aggregated(definition, updates);
    const backward = await aggregated(definition, updates.toReversed());

    for (const [index, value] of forward.entries()) expect(backward[index]).toBeCloseTo(value, 6);
  });

  test("an update beyond the clipping norm counts as if it were scaled down to it", async () => {
    const updates = [of(3, 4), of(30, 40)];

    const mean = await aggregated({ name: "weighted-mean", clippingNorm: 5 }, updates);

    expect([...mean]).toEqual([3, 4]);
  });
});

describe("updates that lie on disk", () => {
  const LENGTH = 300_001;
  const random = seededRandom("spilled");
  const updates = Array.from({ length: 30 }, () =>
    Float32Array.from({ length: LENGTH }, () => random.uniform() - 0.5),
  );

  test.each([
    ["trimmed-mean", { name: "trimmed-mean", byzantine: 4 }],
    ["krum", { name: "krum", byzantine: 4 }],
  ] as const)("give %s the bits that they would give in memory", async (_, definition) => {
    const scratch = memoryScratch();
    const few = updates.slice(0, 26); // 31.2 MB: they stay in memory
    const spilled = await aggregated(definition, updates, { modules: modulesOf({ scratch }) });
    const again = await aggregated(definition, updates, {
      modules: modulesOf({ scratch: memoryScratch(), kernels: createKernels() }),
    });

    expect(again).toEqual(spilled);
    expect(scratch.files).toEqual([]); // removed when the round was over
    await aggregated(definition, few); // no scratch space is needed
  });

  test("are ciphertext there, and a changed byte ends the round", async () => {
    const scratch = memoryScratch();
    const layout = layoutOf([{ name: "w", dtype: "f32", shape: [LENGTH] }]);
    const rule = robust(layout, modulesOf({ scratch }), { name: "median", byzantine: 1 });
    const flat = new Float32Array(LENGTH).fill(1.5);
    for (let index = 0; index < 28; index++) await rule.add({ update: toBytes(flat), weight: 1 });

    const [file] = scratch.files;
    if (file === undefined) throw new Error("nothing was spilled");
    const plain = file.filter((byte) => byte === 0x3f).length; // 1.5 is 00 00 c0 3f
    expect(plain / file.length).toBeLessThan(0.01);
    file[5000] = (file[5000] ?? 0) ^ 1;
    await expect(rule.finish()).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
    rule.release();
  });

  test("without scratch space are refused with a cause, and the others count", async () => {
    const layout = layoutOf([{ name: "w", dtype: "f32", shape: [LENGTH] }]);
    const rule = robust(layout, modulesOf(), { name: "median", byzantine: 1 });
    const update = toBytes(new Float32Array(LENGTH).fill(2));
    for (let index = 0; index < 27; index++) await rule.add({ update, weight: 1 });

    await expect(rule.add({ update, weight: 1 })).rejects.toMatchObject({
      code: "ERR_AGGREGATION_TOO_LARGE",
    });
    const { contributions } = await rule.finish();
    expect(contributions).toBe(27);
  });
});

test("more sites than a network of comparators has places for: sorted all the same, in both implementations", async () => {
  const random = seededRandom("many");
  const updates = Array.from({ length: 101 }, () =>
    Float32Array.from({ length: 37 }, () => random.uniform()),
  );
  const definition = { name: "median", byzantine: 50 } as const;

  const fast = await aggregated(definition, updates);
  const slow = await aggregated(definition, updates, {
    modules: modulesOf({ kernels: javascriptKernels() }),
  });

  const expected = Float32Array.from({ length: 37 }, (_, column) => {
    return updates.map((update) => update[column] ?? 0).sort((left, right) => left - right)[50] ?? 0;
  });
  expect(fast).toEqual(expected);
  expect(slow).toEqual(expected);
});

test("fewer contributions than the rule needs end the round: it does not promise what it cannot keep", async () => {
  const updates = [of(1), of(2), of(3), of(4)];

  await expect(aggregated({ name: "krum", byzantine: 1 }, updates)).rejects.toMatchObject({
    code: "ERR_AGGREGATION_INFEASIBLE",
    message: "krum with byzantine 1 needs at least 5 contributions, and 4 may be all",
  });
});

test("an update so large that its square could overflow is refused", async () => {
  await expect(aggregated({ name: "krum", byzantine: 0 }, [of(1e16)])).rejects.toMatchObject({
    code: "ERR_AGGREGATION_NOT_FINITE",
  });
});

test("gives other work a turn within a long calculation", async () => {
  let turns = 0;
  const clock = {
    ...modulesOf().clock,
    yield: async (): Promise<void> => {
      turns += 1;
    },
  };
  const updates = Array.from({ length: 8 }, (_, index) => new Float32Array(400_000).fill(index));

  await aggregated({ name: "krum", byzantine: 1 }, updates, { modules: modulesOf({ clock }) });

  // 45 pairs of 400 000 floats, in tiles of 4 by 4: 24 million multiplications at least, 4 million a turn.
  expect(turns).toBeGreaterThan(8 * 2 + 6);
});
