import type { Kernels, OrderRange, Rows } from "../kernels/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { centeredClipping } from "./centered-clipping.ts";
import { columnsOf, columnWidth } from "./columns.ts";
import type { RobustRule } from "./definition.ts";
import type { Effort } from "./effort.ts";
import { geometricMedian } from "./geometric-median.ts";
import { type Geometry, geometryOf, type Turn } from "./geometry.ts";
import type { HeldUpdates } from "./held-updates.ts";
import { krum } from "./krum.ts";
import { buckets, nearestNeighbours } from "./mixing.ts";

/** The contributions of a round and what a rule works on them with. */
export interface RobustRound {
  readonly rule: RobustRule;
  readonly held: HeldUpdates;
  /** Floats of each update. */
  readonly floats: number;
  /** Of the updates, in order. */
  readonly weights: readonly number[];
  /** L2 norms of the updates, in order. */
  readonly norms: readonly number[];
  readonly kernels: Kernels;
  readonly crypto: CryptoProvider;
  readonly effort: Effort;
}

/**
 * Applies the rule. Rules are of two kinds: those that sort the values of each coordinate, and those whose result is a
 * combination of the updates that follows from their distances alone, so that two passes over the updates are enough.
 */
export async function aggregateRound(round: RobustRound, target: Float32Array<ArrayBuffer>): Promise<void> {
  const { rule } = round;
  if (rule.name === "median" || rule.name === "trimmed-mean") {
    const mix = rule.mixing && (await mixOf(round, () => measureGeometry(round)));
    await sortCoordinates(round, mix, target);
    return;
  }
  const geometry = await measureGeometry(round);
  const mix = rule.mixing && (await mixOf(round, async () => geometry));
  await combine(round, await coefficientsOf(round, geometry, mix), target);
}

type Mix = readonly Float64Array[];

async function mixOf(round: RobustRound, geometry: () => Promise<Geometry>): Promise<Mix> {
  const { rule, norms, crypto } = round;
  if (rule.mixing?.name === "bucketing") return await buckets(norms, rule.mixing.size, crypto);
  return await nearestNeighbours(await geometry(), rule.byzantine, turnOf(round));
}

/** Distances of all pairs: n² / 2 inner products of the whole length. */
async function measureGeometry({ held, floats, norms, kernels, effort }: RobustRound): Promise<Geometry> {
  const count = held.count;
  const points = count + 1;
  const width = columnWidth(held, count);
  const gram = new Float64Array(points * points);
  const centre = medianOf(norms);
  await withRows(kernels, { count: points, width }, async (rows) => {
    for await (const { values } of columnsOf(held, members(count), floats)) {
      for (const [row, each] of values.entries()) rows.write(row, each);
      rows.write(count, NOTHING); // the origin, which the last block moved
      rows.subtract(padded(values[centre] ?? NOTHING, width));
      for (let first = 0; first < points; first += 4) {
        rows.addProducts(first, gram);
        await effort.spend(4 * (first + 4) * width);
      }
    }
  });
  return geometryOf(gram, points);
}

/** Index of an update whose norm is in the middle: a minority cannot make it a large one. */
function medianOf(norms: readonly number[]): number {
  const order = [...norms.keys()].sort((left, right) => (norms[left] ?? 0) - (norms[right] ?? 0));
  return order[Math.floor((order.length - 1) / 2)] ?? 0;
}

function padded(values: Float32Array, length: number): Float32Array {
  if (values.length === length) return values;
  const whole = new Float32Array(length);
  whole.set(values);
  return whole;
}

/** The result of a rule as a combination of the updates as they came. */
async function coefficientsOf(
  round: RobustRound,
  geometry: Geometry,
  mix: Mix | undefined,
): Promise<Float64Array> {
  if (mix === undefined) return await pointOf(round, geometry, round.weights);
  const turn = turnOf(round);
  const weights = mix.map((row) => row.reduce((sum, share, k) => sum + share * (round.weights[k] ?? 0), 0));
  const point = await pointOf(round, await geometry.mixed(mix, turn), weights);
  const coefficients = new Float64Array(geometry.count + 1);
  for (const [index, row] of mix.entries()) {
    for (const [k, share] of row.entries())
      coefficients[k] = (coefficients[k] ?? 0) + (point[index] ?? 0) * share;
  }
  return coefficients;
}

async function pointOf(
  round: RobustRound,
  geometry: Geometry,
  weights: readonly number[],
): Promise<Float64Array> {
  const { rule } = round;
  const turn = turnOf(round);
  switch (rule.name) {
    case "krum":
      return await krum(geometry, { byzantine: rule.byzantine, selected: 1 }, turn);
    case "multi-krum":
      return await krum(geometry, rule, turn);
    case "geometric-median":
      return await geometricMedian(geometry, weights, turn);
    case "centered-clipping":
      return await centeredClipping(geometry, rule, turn);
    case "median":
    case "trimmed-mean":
      throw new RangeError(`${rule.name} sorts coordinates`);
  }
}

async function combine(
  { held, floats, kernels, effort }: RobustRound,
  coefficients: Float64Array,
  target: Float32Array<ArrayBuffer>,
): Promise<void> {
  const used = members(held.count).filter((index) => coefficients[index] !== 0);
  const shares = Float32Array.from(used, (index) => coefficients[index] ?? 0);
  const width = columnWidth(held, used.length);
  await withRows(kernels, { count: used.length, width }, async (rows) => {
    for await (const { start, values } of columnsOf(held, used, floats)) {
      for (const [row, each] of values.entries()) rows.write(row, each);
      rows.combine(shares, target.subarray(start, start + width));
      await effort.spend(used.length * width);
    }
  });
}

async function sortCoordinates(
  round: RobustRound,
  mix: Mix | undefined,
  target: Float32Array<ArrayBuffer>,
): Promise<void> {
  const { held, floats, kernels } = round;
  const count = held.count;
  const width = columnWidth(held, count);
  await withRows(kernels, { count, width }, async (rows) => {
    const sort = async (sorted: Rows, prepare: () => Promise<void>): Promise<void> => {
      for await (const { start, values } of columnsOf(held, members(count), floats)) {
        for (const [row, each] of values.entries()) rows.write(row, each);
        await prepare();
        await sortBlock(round, sorted, target.subarray(start, start + width));
      }
    };
    if (mix === undefined) return await sort(rows, async () => undefined);
    const shares = mix.map((row) => Float32Array.from(row.subarray(0, count)));
    await withRows(kernels, { count: mix.length, width }, async (mixed) => {
      await sort(mixed, () => mixRows(rows, { shares, mixed, effort: round.effort }));
    });
  });
}

interface Mixed {
  readonly shares: readonly Float32Array[];
  readonly mixed: Rows;
  readonly effort: Effort;
}

/** mixed_i = Σ_k shares_i[k] · row_k */
async function mixRows(rows: Rows, { shares, mixed, effort }: Mixed): Promise<void> {
  const mean = new Float32Array(rows.length);
  for (const [row, share] of shares.entries()) {
    rows.combine(share, mean);
    mixed.write(row, mean);
    await effort.spend(rows.count * rows.length);
  }
}

async function sortBlock(
  { rule, effort }: RobustRound,
  rows: Rows,
  target: Float32Array<ArrayBuffer>,
): Promise<void> {
  const range = orderRange(rule, rows.count);
  const step = columnsAtOnce(rows.count, rows.length);
  for (let start = 0; start < target.length; start += step) {
    const part = target.subarray(start, start + step);
    rows.orderStatisticMean(range, start, part);
    await effort.spend(part.length * comparisons(rows.count));
  }
}

/** The sorted values of a coordinate whose mean counts. */
function orderRange(rule: RobustRule, count: number): OrderRange {
  if (rule.name === "trimmed-mean") return { from: rule.byzantine, to: count - rule.byzantine };
  const middle = Math.floor(count / 2);
  return { from: count % 2 === 0 ? middle - 1 : middle, to: middle + 1 };
}

/** About as many as Batcher's network has: n log² n / 4. */
function comparisons(count: number): number {
  return Math.max(1, (count * Math.log2(count + 1) ** 2) / 4);
}

/** Coordinates whose sorting is a short stretch of work; a multiple of 4. */
function columnsAtOnce(count: number, width: number): number {
  return Math.max(4, Math.min(width, 4 * Math.floor(1_000_000 / comparisons(count))));
}

async function withRows(
  kernels: Kernels,
  { count, width }: { readonly count: number; readonly width: number },
  use: (rows: Rows) => Promise<void>,
): Promise<void> {
  const rows = kernels.rows(count, width);
  try {
    await use(rows);
  } finally {
    rows.release();
  }
}

const NOTHING = new Float32Array(0);

const members = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const turnOf = ({ held, effort }: RobustRound): Turn => {
  return () => effort.spend(held.count ** 2);
};
