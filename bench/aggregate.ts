import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AggregationDefinition, robust } from "@photinus/core/aggregation";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { createKernels, type Kernels } from "@photinus/core/kernels";
import { layoutOf } from "@photinus/core/tensor";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { sortingNetwork } from "../packages/core/src/kernels/sorting-network.ts";
import { openScratchFolder } from "../packages/node-server/src/storage/scratch-folder.ts";
import { type CKernels, compileCKernels } from "./aggregate/c-kernels.ts";
import { largeRound } from "./aggregate/large-round.ts";
import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { cpuMs, distributionOf } from "./paired.ts";

/** ResNet-18. */
const MODEL_FLOATS = 11_689_512;
const UPDATES = 16;
const SITES = 32;
const COLUMNS = 10_000_000;
const BLOCK = 16_384;
/** Columns that the naive loop sorts: it takes a hundred times as long. */
const NAIVE_COLUMNS = 40_000;
const PAIRS = 9;

/**
 * The numeric part of aggregation: the weighted sum against the same loop in C and in plain JavaScript, the coordinate
 * median against the same sorting network in C and against sorting column by column, Krum as a whole; CPU time. Then a
 * round of large updates from end to end.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const network = sortingNetwork(SITES, SITES / 2 - 1, SITES / 2 + 1);
  const compiled = await compileCKernels(SITES, network);
  if (compiled === undefined) log("no gcc here: the references in C are left out");
  try {
    const kernels = createKernels();
    log("weighted add");
    const add = await weightedAdd(kernels, compiled, signal);
    log("coordinate median");
    const median = await coordinateMedian(kernels, compiled, signal);
    log("Krum");
    const krum = { ...(await krumGram(kernels, signal)), ...(await krumFromDisk(signal)) };
    log("a large round");
    const round = await largeRound(signal);
    return { benchmark: "aggregate", metrics: { ...add, ...median, ...krum, ...round } };
  } finally {
    await compiled?.remove();
  }
}

type Metrics = Readonly<Record<string, Metric>>;

async function weightedAdd(
  kernels: Kernels,
  compiled: CKernels | undefined,
  signal: AbortSignal,
): Promise<Metrics> {
  // Where a server has what it received: in a staging slot, long out of the cache.
  const slot = kernels.buffer(4 * MODEL_FLOATS);
  const update = new Float32Array(slot.bytes.buffer, slot.bytes.byteOffset, MODEL_FLOATS);
  update.set(randomFloats(MODEL_FLOATS));
  const sum = kernels.accumulator(MODEL_FLOATS);
  const ours = (): void => {
    for (let k = 0; k < UPDATES; k++) sum.addScaled(0, update, 0.5 + k);
  };
  const plainSum = new Float32Array(MODEL_FLOATS);
  const plain = (): void => {
    for (let k = 0; k < UPDATES; k++) plainAdd(plainSum, update, 0.5 + k);
  };
  ours();
  plain();
  const costs = await pairs(signal, async () => ({
    ours: await cpuMs(ours),
    plain: await cpuMs(plain),
    c: await compiled?.weightedAdd(MODEL_FLOATS, UPDATES),
  }));
  sum.release();
  slot.release();
  const rate = (ms: number): number => (UPDATES * MODEL_FLOATS) / ms / 1e6;
  return {
    weightedAdd: against(costs, {
      unit: "Gfloat/s",
      of: rate,
      ratio: ({ ours, c }) => (c ?? Number.NaN) / ours,
    }),
    weightedAddOverJavascript: times(costs.map((cost) => cost.plain / cost.ours)),
  };
}

/** What somebody would write first. */
function plainAdd(sum: Float32Array, update: Float32Array, weight: number): void {
  for (let index = 0; index < sum.length; index++) {
    sum[index] = (sum[index] ?? 0) + weight * (update[index] ?? 0);
  }
}

async function coordinateMedian(
  kernels: Kernels,
  compiled: CKernels | undefined,
  signal: AbortSignal,
): Promise<Metrics> {
  const updates = Array.from({ length: SITES }, (_, site) => randomFloats(COLUMNS, site));
  const rows = kernels.rows(SITES, BLOCK);
  const target = new Float32Array(BLOCK);
  const range = { from: SITES / 2 - 1, to: SITES / 2 + 1 };
  const ours = (): void => {
    for (let start = 0; start < COLUMNS; start += BLOCK) {
      for (const [row, update] of updates.entries()) rows.write(row, update.subarray(start, start + BLOCK));
      rows.orderStatisticMean(range, 0, target);
    }
  };
  const naive = (): void => {
    for (let column = 0; column < NAIVE_COLUMNS; column++) {
      const sorted = updates.map((update) => update[column] ?? 0).sort((left, right) => left - right);
      target[column % BLOCK] = ((sorted[range.from] ?? 0) + (sorted[range.to - 1] ?? 0)) / 2;
    }
  };
  ours();
  const costs = await pairs(signal, async () => ({
    ours: await cpuMs(ours),
    plain: ((await cpuMs(naive)) * COLUMNS) / NAIVE_COLUMNS,
    c: await compiled?.median(COLUMNS),
  }));
  rows.release();
  return {
    coordinateMedian: against(costs, {
      unit: "s",
      of: (ms) => ms / 1000,
      ratio: ({ ours, c }) => ours / (c ?? Number.NaN),
    }),
    coordinateMedianOverJavascript: times(costs.map((cost) => cost.plain / cost.ours)),
  };
}

/** The numbers that Krum needs: the inner products of all pairs, of updates that lie in memory. */
async function krumGram(kernels: Kernels, signal: AbortSignal): Promise<Metrics> {
  const update = randomFloats(BLOCK);
  const rows = kernels.rows(SITES, BLOCK);
  for (let row = 0; row < SITES; row++) rows.write(row, update);
  const gram = new Float64Array(SITES ** 2);
  const ours = (): void => {
    for (let start = 0; start < MODEL_FLOATS; start += BLOCK) {
      for (let first = 0; first < SITES; first += 4) rows.addProducts(first, gram);
    }
  };
  ours();
  const costs = await pairs(signal, async () => (await cpuMs(ours)) / 1000);
  rows.release();
  const { median, spread } = distributionOf(costs);
  return { krumSeconds: { value: median, unit: "s", reference: 1.5, ratio: median / 1.5, spread } };
}

/** Krum as a server runs it: updates taken in, encrypted on disk, compared, one of them chosen. */
async function krumFromDisk(signal: AbortSignal): Promise<Metrics> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  try {
    const scratch = await openScratchFolder(folder);
    const modules = { kernels: createKernels(), clock: systemClock(), crypto: nodeCrypto(), scratch };
    const layout = layoutOf([{ name: "w", dtype: "f32", shape: [MODEL_FLOATS] }]);
    const rule: AggregationDefinition = { name: "krum", byzantine: 8 };
    const aggregator = robust(layout, modules, rule);
    aggregator.reset(SITES);
    const target: Bytes = new Uint8Array(layout.byteLength);
    const update = toBytes(randomFloats(MODEL_FLOATS));
    const add = async (): Promise<void> => {
      for (let site = 0; site < SITES; site++) {
        new Float32Array(update.buffer)[site] = 100 + site;
        await aggregator.add({ update, weight: 1 });
      }
    };
    const takeInMs = await cpuMs(add);
    const finish = async (): Promise<void> => {
      await aggregator.finish(target);
    };
    await finish();
    const costs = await pairs(signal, async () => ({ ours: await cpuMs(finish) }), 3);
    aggregator.release();
    const krum = distributionOf(costs.map(({ ours }) => ours / 1000));
    return {
      krumFromDiskSeconds: { value: krum.median, unit: "s", spread: krum.spread },
      spillMs: { value: takeInMs / SITES, unit: "ms an update" },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Cost {
  readonly ours: number;
  readonly plain: number;
  readonly c: number | undefined;
}

async function pairs<Measured>(
  signal: AbortSignal,
  measure: () => Promise<Measured>,
  count = PAIRS,
): Promise<readonly Measured[]> {
  const all: Measured[] = [];
  for (let pair = 0; pair < count; pair++) {
    signal.throwIfAborted();
    all.push(await measure());
  }
  return all;
}

interface Against {
  readonly unit: string;
  readonly of: (ms: number) => number;
  readonly ratio: (cost: Cost) => number;
}

function against(costs: readonly Cost[], { unit, of, ratio }: Against): Metric {
  const ours = distributionOf(costs.map((cost) => cost.ours));
  const ratios = distributionOf(costs.map(ratio));
  const value = { value: of(ours.median), unit, spread: ours.spread };
  if (Number.isNaN(ratios.median)) return value;
  const reference = of(distributionOf(costs.map(({ c }) => c ?? Number.NaN)).median);
  return { ...value, reference, ratio: ratios.median };
}

function times(ratios: readonly number[]): Metric {
  const { median, spread } = distributionOf(ratios);
  return { value: median, unit: "x", spread };
}

/** Uniform in [-0.5, 0.5): a linear congruence, for speed. */
function randomFloats(length: number, seed = 1): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(length);
  let state = seed * 2 + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    floats[index] = state / 2 ** 32;
  }
  return floats;
}
