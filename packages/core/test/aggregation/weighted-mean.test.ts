import { aggregatorRegistry, weightedMean } from "@photinus/core/aggregation";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { layoutOf } from "@photinus/core/tensor";
import { seededRandom, virtualClock } from "@photinus/core/testing";
import { aggregatorContract } from "@photinus/core/testing/contracts";
import { expect, test } from "vitest";
import { modulesOf } from "./robust-rules.ts";

aggregatorContract("weighted-mean", weightedMean);
aggregatorContract("normalized-mean", (layout, modules) =>
  weightedMean(layout, modules, { name: "normalized-mean" }),
);

const floats = (bytes: Bytes): number[] => [
  ...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
];

test("is the mean weighted by example counts, as FedAvg says", async () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [3] }]);
  const aggregator = weightedMean(layout, modulesOf());
  await aggregator.add({ update: toBytes(Float32Array.of(1, 2, 3)), weight: 100 });
  await aggregator.add({ update: toBytes(Float32Array.of(5, -2, 0)), weight: 300 });

  const { update, weight } = await aggregator.finish();

  expect(floats(update)).toEqual([4, -1, 0.75]);
  expect(weight).toBe(400);
});

test("is within float32 rounding of the mean in float64, for updates of several blocks", async () => {
  const count = 600_001;
  const sites = 6;
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [count] }]);
  const aggregator = weightedMean(layout, modulesOf());
  const exact = new Float64Array(count);
  let total = 0;
  for (let site = 0; site < sites; site++) {
    const random = seededRandom(site);
    const update = Float32Array.from({ length: count }, () => random.uniform() - 0.5);
    const weight = 1 + random.integer(5000);
    total += weight;
    for (let index = 0; index < count; index++) exact[index]! += weight * update[index]!;
    await aggregator.add({ update: toBytes(update), weight });
  }

  const mean = floats((await aggregator.finish()).update);

  // One rounding for each product and each sum, of values below the sum of weights / 2: (2 K + 1) · 2^-24 · 0.5.
  const bound = (2 * sites + 1) * 2 ** -24 * 0.5;
  let worst = 0;
  for (let index = 0; index < count; index++)
    worst = Math.max(worst, Math.abs(mean[index]! - exact[index]! / total));
  expect(worst).toBeLessThan(bound);
});

test("an update so large that sums of it could overflow is refused when it comes, and the others count", async () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [1] }]);
  const aggregator = weightedMean(layout, modulesOf());
  await aggregator.add({ update: toBytes(Float32Array.of(2)), weight: 1 });

  const huge = aggregator.add({ update: toBytes(Float32Array.of(3e38)), weight: 1000 });

  await expect(huge).rejects.toMatchObject({ code: "ERR_AGGREGATION_NOT_FINITE" });
  expect(floats((await aggregator.finish()).update)).toEqual([2]);
});

test("with equal weights it counts sites, not examples", async () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [1] }]);
  const aggregator = weightedMean(layout, modulesOf(), { name: "weighted-mean", weights: "equal" });
  await aggregator.add({ update: toBytes(Float32Array.of(2)), weight: 1 });
  await aggregator.add({ update: toBytes(Float32Array.of(4)), weight: 999 });

  expect(floats((await aggregator.finish()).update)).toEqual([3]);
});

test.each([0, -1, Number.NaN, 2e12])(
  "a site that went %s steps is refused by the normalized mean",
  async (localWork) => {
    const layout = layoutOf([{ name: "w", dtype: "f32", shape: [1] }]);
    const aggregator = weightedMean(layout, modulesOf(), { name: "normalized-mean" });

    const adding = aggregator.add({ update: toBytes(Float32Array.of(2)), weight: 1, localWork });

    await expect(adding).rejects.toMatchObject({ code: "ERR_AGGREGATION_WEIGHT" });
  },
);

test("the normalized mean of the most that sites may claim is finite", async () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [1] }]);
  const aggregator = weightedMean(layout, modulesOf(), { name: "normalized-mean" });
  await aggregator.add({ update: toBytes(Float32Array.of(1e18)), weight: 1, localWork: 1 });
  await aggregator.add({ update: toBytes(Float32Array.of(1)), weight: 1e11, localWork: 1e12 });

  expect(floats((await aggregator.finish()).update).every(Number.isFinite)).toBe(true);
});

test("gives other work a turn within a large update", async () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [1_000_000] }]);
  let turns = 0;
  const clock = {
    ...virtualClock(),
    yield: async (): Promise<void> => {
      turns += 1;
    },
  };
  const aggregator = weightedMean(layout, modulesOf({ clock }));

  await aggregator.add({ update: new Uint8Array(4_000_000), weight: 1 });

  expect(turns).toBe(2 * 3);
});

test("the registry is a value: it knows what it was built with", () => {
  expect(aggregatorRegistry().get("weighted-mean")).toBe(weightedMean);
  expect(aggregatorRegistry([["mine", weightedMean]]).has("mine")).toBe(true);
  expect(aggregatorRegistry().get("mine")).toBeUndefined();
});
