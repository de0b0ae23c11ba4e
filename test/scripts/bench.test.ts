import { expect, test } from "vitest";
import { comparePairs, distributionOf } from "../../bench/paired.ts";
import { tableOf } from "../../scripts/bench.ts";

test("a distribution is the median and half the distance of the quartiles over it", () => {
  expect(distributionOf([5, 1, 3])).toEqual({ median: 3, spread: 1 / 3, count: 3 });
  expect(distributionOf([1, 2, 3, 4]).median).toBe(2.5);
  expect(distributionOf([7])).toEqual({ median: 7, spread: 0, count: 1 });
});

test("a distribution of nothing is a misuse", () => {
  expect(() => distributionOf([])).toThrow(RangeError);
});

test("pairs are interleaved, every second one in the other order", async () => {
  const order: string[] = [];
  const candidate = (): void => void order.push("c");
  const baseline = (): void => void order.push("b");
  const costOf = async (work: () => Promise<void> | void): Promise<number> => {
    await work();
    return 1;
  };

  await comparePairs(candidate, baseline, { pairs: 4, warmUps: 1, costOf });

  expect(order.join("")).toBe("cb" + "cb" + "bc" + "cb" + "bc");
});

test("the ratio is the median of the pairs' ratios", async () => {
  const costs = [2, 1, 10, 30, 8, 2]; // pairs as c/b, b/c, c/b: 2/1, 30/10, 8/2
  const costOf = (): Promise<number> => Promise.resolve(costs.shift() ?? 0);

  const { ratio } = await comparePairs(
    () => undefined,
    () => undefined,
    { pairs: 3, warmUps: 0, costOf },
  );

  expect(ratio.median).toBe(3);
});

test("a comparison stops between pairs when it is aborted", async () => {
  const signal = AbortSignal.abort(new Error("interrupted"));

  await expect(
    comparePairs(
      () => undefined,
      () => undefined,
      { signal },
    ),
  ).rejects.toThrow("interrupted");
});

test("the table has one line for each metric", () => {
  const table = tableOf({
    roundMs: { value: 12.345, unit: "ms", spread: 0.05 },
    serverCpuRatio: { value: 5.5, unit: "x", reference: 1, ratio: 5.5 },
  });

  expect(table.split("\n")).toEqual([
    "metric          value  unit  reference  ratio  spread",
    "roundMs         12.3   ms                      5.0 %",
    "serverCpuRatio  5.50   x     1          5.50",
  ]);
});
