import { describe, expect, test } from "vitest";
import type { Aggregate, Aggregator, AggregatorModules, Contribution } from "../../aggregation/index.ts";
import { type Bytes, toBytes } from "../../bytes/index.ts";
import { createKernels, javascriptKernels, type Kernels } from "../../kernels/index.ts";
import { webCrypto } from "../../platform/index.ts";
import { layoutOf, type TensorLayout } from "../../tensor/index.ts";
import { type SeededRandom, seededRandom } from "../seeded-random.ts";
import { virtualClock } from "../virtual-clock.ts";

/** Layout of the updates of the contract: two tensors with padding between them, and a scalar. */
const LAYOUT: TensorLayout = layoutOf([
  { name: "fc1.weight", dtype: "f32", shape: [7, 5] },
  { name: "fc1.bias", dtype: "f32", shape: [3] },
  { name: "scale", dtype: "f32", shape: [] },
]);

/** An aggregator as the contract makes it: with the arguments that its rule has. */
export type MakeAggregator = (layout: TensorLayout, modules: AggregatorModules) => Aggregator;

/** What every aggregator keeps; call it in the test file of the aggregator. It gets three contributions or more. */
export function aggregatorContract(name: string, factory: MakeAggregator): void {
  describe(`aggregator ${name}`, () => {
    combines(factory);
    refuses(factory);
    lives(factory);
  });
}

function combines(factory: MakeAggregator): void {
  test("the aggregate of equal updates is that update", async () => {
    const update = anUpdate(seededRandom("equal"));

    const aggregate = await run(factory, Array(5).fill({ update, weight: 3 }));

    expect(distance(aggregate.update, update)).toBeLessThan(1e-6 * norm(update));
  });

  test("the order of contributions changes the aggregate by at most 1e-6 of its size", async () => {
    const contributions = someContributions(9);

    const forward = await run(factory, contributions);
    const backward = await run(factory, contributions.toReversed());

    expect(distance(forward.update, backward.update)).toBeLessThan(1e-6 * norm(forward.update));
  });

  test("the same order gives the same bits, in WebAssembly and in JavaScript", async () => {
    const contributions = someContributions(7);

    const first = await run(factory, contributions, createKernels());
    const second = await run(factory, contributions, javascriptKernels());

    expect([...second.update]).toEqual([...first.update]);
  });

  test("updates are left as they are, and padding stays zero", async () => {
    const contributions = someContributions(3);
    const before = contributions.map(({ update }) => [...update]);

    const { update } = await run(factory, contributions);

    expect(contributions.map((each) => [...each.update])).toEqual(before);
    expect([...update.subarray(140, 144)]).toEqual([0, 0, 0, 0]);
  });

  test("tells how many contributions it holds and their weight", async () => {
    const aggregate = await run(factory, someContributions(4));

    expect(aggregate).toMatchObject({ contributions: 4, weight: 1 + 2 + 3 + 4 });
  });
}

function refuses(factory: MakeAggregator): void {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "an update that holds %s is refused, names its tensor and changes nothing",
    async (bad) => {
      const contributions = someContributions(3);
      const poisoned = anUpdate(seededRandom("poison"));
      new Float32Array(poisoned.buffer)[37] = bad; // in fc1.bias, after 35 floats and one of padding
      const aggregator = factory(LAYOUT, modules());
      for (const contribution of contributions) await aggregator.add(contribution);

      const adding = aggregator.add({ update: poisoned, weight: 1 });

      await expect(adding).rejects.toMatchObject({ code: "ERR_AGGREGATION_NOT_FINITE" });
      await expect(aggregator.measure(poisoned)).rejects.toThrow("fc1.bias");
      const clean = await run(factory, contributions);
      expect((await aggregator.finish()).update).toEqual(clean.update);
    },
  );

  test("an update of another length is refused", async () => {
    const aggregator = factory(LAYOUT, modules());
    const update = new Uint8Array(LAYOUT.byteLength + 4);

    await expect(aggregator.add({ update, weight: 1 })).rejects.toMatchObject({
      code: "ERR_AGGREGATION_SHAPE",
    });
    await expect(aggregator.measure(update)).rejects.toMatchObject({ code: "ERR_AGGREGATION_SHAPE" });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("weight %s is refused", async (weight) => {
    const aggregator = factory(LAYOUT, modules());
    const update = anUpdate(seededRandom("weight"));

    await expect(aggregator.add({ update, weight })).rejects.toMatchObject({
      code: "ERR_AGGREGATION_WEIGHT",
    });
    await expect(aggregator.finish()).rejects.toMatchObject({ code: "ERR_AGGREGATION_EMPTY" });
  });

  test("a layout that it cannot combine is refused when it is made", () => {
    const layout = layoutOf([{ name: "steps", dtype: "i64", shape: [1] }]);

    expect(() => factory(layout, modules())).toThrow(
      expect.objectContaining({ code: "ERR_AGGREGATION_SHAPE" }),
    );
  });
}

function lives(factory: MakeAggregator): void {
  test("nothing added is an error, and so is nothing since a reset", async () => {
    const aggregator = factory(LAYOUT, modules());
    await expect(aggregator.finish()).rejects.toMatchObject({ code: "ERR_AGGREGATION_EMPTY" });
    for (const contribution of someContributions(2)) await aggregator.add(contribution);

    aggregator.reset();

    await expect(aggregator.finish()).rejects.toMatchObject({ code: "ERR_AGGREGATION_EMPTY" });
  });

  test("a round after a reset is like the first", async () => {
    const aggregator = factory(LAYOUT, modules());
    for (const contribution of someContributions(5)) await aggregator.add(contribution);
    await aggregator.finish();
    aggregator.reset();
    for (const contribution of someContributions(3)) await aggregator.add(contribution);

    const again = await aggregator.finish();

    expect(again.update).toEqual((await run(factory, someContributions(3))).update);
  });

  test("what admit declines is left out, and admit is asked in order", async () => {
    const aggregator = factory(LAYOUT, modules());
    const asked: number[] = [];
    const contributions = someContributions(4);
    const added = contributions.map((contribution, index) =>
      aggregator.add({ ...contribution, admit: () => asked.push(index) !== 2 }),
    );

    expect(await Promise.all(added)).toEqual([true, false, true, true]);
    expect(asked).toEqual([0, 1, 2, 3]);
    const without = await run(factory, contributions.toSpliced(1, 1));
    expect((await aggregator.finish()).update).toEqual(without.update);
  });

  test("writes into the memory that it is given", async () => {
    const aggregator = factory(LAYOUT, modules());
    for (const contribution of someContributions(3)) await aggregator.add(contribution);
    const target = new Uint8Array(LAYOUT.byteLength);

    const { update } = await aggregator.finish(target);

    expect(update).toBe(target);
    aggregator.release();
    aggregator.release();
  });
}

async function run(
  factory: MakeAggregator,
  contributions: readonly Contribution[],
  kernels?: Kernels,
): Promise<Aggregate> {
  const aggregator = factory(LAYOUT, modules(kernels));
  for (const contribution of contributions) await aggregator.add(contribution);
  const aggregate = await aggregator.finish();
  aggregator.release();
  return aggregate;
}

const modules = (kernels: Kernels = createKernels()): AggregatorModules => ({
  kernels,
  clock: virtualClock(),
  crypto: webCrypto(),
});

function someContributions(count: number): Contribution[] {
  const random = seededRandom("contributions");
  return Array.from({ length: count }, (_, index) => ({ update: anUpdate(random), weight: index + 1 }));
}

function anUpdate(random: SeededRandom): Bytes {
  const floats = new Float32Array(LAYOUT.byteLength / 4);
  for (const { offset, shape } of LAYOUT.tensors) {
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    for (let index = 0; index < count; index++) floats[offset / 4 + index] = random.uniform() - 0.5;
  }
  return toBytes(floats);
}

const floats = (bytes: Bytes): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

function norm(bytes: Bytes): number {
  return Math.hypot(...floats(bytes));
}

function distance(left: Bytes, right: Bytes): number {
  const other = floats(right);
  return Math.hypot(...floats(left).map((value, index) => value - (other[index] ?? 0)));
}
