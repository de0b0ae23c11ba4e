import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { type GatedRounds, gatedRounds } from "./federation/gated-rounds.ts";
import { bytesOf, RESNET18 } from "./federation/model.ts";
import { startFederation } from "./federation/start.ts";
import { tcpDiscardMs } from "./federation/tcp-discard.ts";
import { type Distribution, distributionOf } from "./paired.ts";

/** Pairs of a round and a discard of the same bytes; `--pairs <n>` takes another number. */
const PAIRS = 11;
/** Rounds before the first pair. */
const WARM_UP = 2;
/** Slots of the coordinator where nothing else is said. */
const UPLOAD_SLOTS = 2;
/** Server CPU of an update over that of a TCP discard. */
const TARGET_RATIO = 6;

/** Bytes of one update. */
const BYTES = bytesOf(RESNET18);

/**
 * What a large update costs the server: CPU against a process that receives the same bytes over TCP and looks at
 * nothing, pair by pair; and memory in models. Sites, the server and both ends of the baseline are processes.
 */
export async function run({ args, log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const pairs = Number(args[args.indexOf("--pairs") + 1] ?? PAIRS) || PAIRS;
  log(`${(BYTES / 1e6).toFixed(2)} MB, ${RESNET18.length} tensors; 2 sites, ${pairs} pairs`);
  const cost = await measureCpu(pairs, signal);
  const peak2 = peakModels(cost.rounds);
  log(`peak at 2 sites: ${peak2.toFixed(2)} models; 8 sites`);
  const peak8 = peakModels(await measureRounds(8, 4, async () => signal.throwIfAborted()));
  return { benchmark: "update", metrics: { ...cost.metrics, ...memoryMetrics(peak2, peak8) } };
}

async function measureCpu(
  pairs: number,
  signal: AbortSignal,
): Promise<{
  readonly rounds: GatedRounds;
  readonly metrics: Readonly<Record<string, Metric>>;
}> {
  const sites = 2;
  const discards: number[] = [];
  const rounds = await measureRounds(sites, WARM_UP + pairs + 1, async (round) => {
    signal.throwIfAborted();
    discards.push(round <= WARM_UP ? Number.NaN : await tcpDiscardMs(BYTES));
  });
  return { rounds, metrics: cpuMetrics(rounds, discards, sites) };
}

/** Milliseconds of CPU for each update, and their ratio to the discard of the same pair. */
function cpuMetrics(
  { costs }: GatedRounds,
  discards: readonly number[],
  sites: number,
): Readonly<Record<string, Metric>> {
  const pairs = costs.slice(WARM_UP).map(({ uploadsMs, versionMs }, index) => ({
    update: uploadsMs / sites,
    version: versionMs,
    discard: discards[WARM_UP + index] ?? Number.NaN,
  }));
  const of = (value: (pair: (typeof pairs)[number]) => number): Distribution =>
    distributionOf(pairs.map(value));
  const ratio = of((pair) => pair.update / pair.discard);
  const whole = of((pair) => (pair.update + pair.version / sites) / pair.discard);
  const [update, version, baseline] = [of((p) => p.update), of((p) => p.version), of((p) => p.discard)];
  return {
    serverCpuRatio: {
      value: ratio.median,
      unit: "x",
      reference: TARGET_RATIO,
      ratio: ratio.median / TARGET_RATIO,
      spread: ratio.spread,
    },
    serverCpuPerUpdateMs: {
      value: update.median,
      unit: "ms",
      reference: baseline.median,
      spread: update.spread,
    },
    serverCpuPerVersionMs: { value: version.median, unit: "ms", spread: version.spread },
    serverCpuRatioWithVersion: { value: whole.median, unit: "x", spread: whole.spread },
    serverCpuPerGigabyte: { value: (update.median / BYTES) * 1e6, unit: "s/GB" },
    pairs: { value: ratio.count, unit: "pairs" },
  };
}

async function measureRounds(
  sites: number,
  rounds: number,
  atRest: (round: number) => Promise<void>,
): Promise<GatedRounds> {
  const federation = await startFederation({ sites: [sites], gated: true });
  try {
    return await gatedRounds(federation, { shapes: RESNET18, rounds, atRest });
  } finally {
    await federation.stop();
  }
}

const peakModels = ({ peakBytes, baseBytes }: GatedRounds): number => (peakBytes - baseBytes) / BYTES;

function memoryMetrics(peak2: number, peak8: number): Readonly<Record<string, Metric>> {
  const metric = (value: number): Metric => {
    const reference = UPLOAD_SLOTS + 2;
    return { value, unit: "models", reference, ratio: value / reference };
  };
  return {
    peakModels: metric(Math.max(peak2, peak8)),
    peakModels2: metric(peak2),
    peakModels8: metric(peak8),
  };
}
