import type { BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { jobOf, SMALL } from "./federation/model.ts";
import { type CollectedMark, startFederation } from "./federation/start.ts";
import { distributionOf } from "./paired.ts";

/** Rounds before the first that counts: code gets compiled, connections warm. */
const WARM_UP = 50;
const ROUNDS = 200;
const SITES = 2;
/** Longest median round, ms. */
const TARGET_MS = 30;

/**
 * How long a round takes when nobody trains: a model of 1 kB, two sites as processes, durable storage, every check.
 * From one aggregation to the next, as the server takes them.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const federation = await startFederation({ sites: [1, 1], gated: false });
  try {
    const marks: CollectedMark[] = [];
    federation.server.on<CollectedMark>("collected", (mark) => marks.push(mark));
    const rounds = WARM_UP + ROUNDS + 1;
    log(`${rounds} rounds of ${SITES} sites`);
    const { jobId } = await federation.user.submit(jobOf(SMALL, { rounds, sites: SITES }));
    const state = await federation.server.ask<string>("ended", jobId);
    signal.throwIfAborted();
    if (state !== "finished" || marks.length !== rounds) throw new Error(`${state} after ${marks.length}`);
    const counted = marks.slice(WARM_UP);
    const [first, last] = [counted[0], counted.at(-1)];
    const cpuMs = ((last?.cpuMs ?? 0) - (first?.cpuMs ?? 0)) / ROUNDS;
    const periods = counted.slice(1).map(({ atMs }, index) => atMs - (counted[index]?.atMs ?? atMs));
    const { median, spread, count } = distributionOf(periods);
    const slow = [...periods].sort((left, right) => right - left)[Math.floor(count / 20)] ?? Number.NaN;
    return {
      benchmark: "round",
      metrics: {
        roundMs: { value: median, unit: "ms", reference: TARGET_MS, ratio: median / TARGET_MS, spread },
        roundP95Ms: { value: slow, unit: "ms" },
        rounds: { value: count, unit: "rounds" },
        serverCpuPerRoundMs: { value: cpuMs, unit: "ms" },
      },
    };
  } finally {
    await federation.stop();
  }
}
