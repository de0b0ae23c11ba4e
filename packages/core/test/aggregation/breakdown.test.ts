import { type AggregationDefinition, isRobust, leastContributions } from "@photinus/core/aggregation";
import { ATTACKS, seededRandom } from "@photinus/core/testing";
import { describe, expect, test } from "vitest";
import { aggregated } from "./robust-rules.ts";

const LENGTH = 200;

/** f of n, the most that each rule promises to stand. */
const RULES: readonly (readonly [string, number, AggregationDefinition])[] = [
  ["median", 11, { name: "median", byzantine: 5 }],
  ["trimmed-mean", 11, { name: "trimmed-mean", byzantine: 5 }],
  ["geometric-median", 11, { name: "geometric-median", byzantine: 5 }],
  ["centered-clipping", 11, { name: "centered-clipping", byzantine: 1, radius: 2, iterations: 10 }],
  ["krum", 11, { name: "krum", byzantine: 4 }],
  ["multi-krum", 11, { name: "multi-krum", byzantine: 4, selected: 5 }],
  ["median of mixed", 11, { name: "median", byzantine: 5, mixing: { name: "nearest-neighbours" } }],
  [
    "trimmed mean of buckets",
    15,
    { name: "trimmed-mean", byzantine: 2, mixing: { name: "bucketing", size: 2 } },
  ],
];

function honestUpdates(count: number): readonly Float32Array[] {
  const random = seededRandom("honest");
  const direction = Float32Array.from({ length: LENGTH }, () => 0.1 * (random.uniform() - 0.5));
  return Array.from({ length: count }, () =>
    direction.map((value) => value + 0.1 * (random.uniform() - 0.5)),
  );
}

const distance = (left: ArrayLike<number>, right: ArrayLike<number>): number =>
  Math.hypot(...Array.from(left, (value, index) => value - (right[index] ?? 0)));

function meanOf(updates: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(LENGTH);
  for (const update of updates) {
    for (const [index, value] of update.entries()) mean[index] = (mean[index] ?? 0) + value / updates.length;
  }
  return mean;
}

/** What n sites send, f of them Byzantine, and how far the furthest honest one is from the honest mean. */
function aRound(count: number, byzantine: number, attack: string) {
  const honest = honestUpdates(count - byzantine);
  const bad = ATTACKS.get(attack)?.(honest, byzantine, seededRandom(attack)) ?? [];
  const mean = meanOf(honest);
  return {
    updates: [...honest, ...bad],
    mean,
    spread: Math.max(...honest.map((each) => distance(each, mean))),
  };
}

describe.each(RULES)("%s of %i", (_, count, definition) => {
  const byzantine = isRobust(definition) ? definition.byzantine : 0;

  test.each([...ATTACKS.keys()])("stands %s up to its breakdown point", async (attack) => {
    const { updates, mean, spread } = aRound(count, byzantine, attack);

    const result = await aggregated(definition, updates);

    // (f, κ)-robustness: the error is in proportion to how honest updates differ, never to what an attacker sends.
    expect(distance(result, mean)).toBeLessThan(2 * spread);
  });

  test("promises no more than it can keep", () => {
    expect(leastContributions(definition)).toBeLessThanOrEqual(count);
    expect(
      leastContributions({ ...definition, byzantine: byzantine + 10 } as AggregationDefinition),
    ).toBeGreaterThan(count);
  });
});

test.each(["sign flip", "gaussian", "boosted backdoor", "norm bomb"])(
  "the weighted mean does not stand %s: the attacks of these tests are attacks",
  async (attack) => {
    const { updates, mean, spread } = aRound(11, 5, attack);

    const result = await aggregated({ name: "weighted-mean" }, updates);

    expect(distance(result, mean)).toBeGreaterThan(2 * spread);
  },
);

test.each(["gaussian", "norm bomb"])(
  "the median breaks under %s one site beyond its breakdown point",
  async (attack) => {
    const { updates, mean, spread } = aRound(11, 6, attack);

    const result = await aggregated({ name: "median", byzantine: 5 }, updates);

    expect(distance(result, mean)).toBeGreaterThan(2 * spread);
  },
);
