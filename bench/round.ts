import type { BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { benchJob } from "./federation/parts.ts";
import { withFederation } from "./federation/run-federation.ts";
import { distributionOf } from "./paired.ts";

/** Rounds of one run; the first ones warm the processes up. */
const ROUNDS = 120;
const WARM_UP_ROUNDS = 20;
const SITES = 2;
/** 250 numbers: 1 kB. */
const SHAPES = [[250]];
/** What this machine's reader may expect. */
const TARGET_MS = 30;

/**
 * How long a round takes when nobody trains: two sites as processes, a model of 1 kB, full security, every round
 * durable. From one commit to the next, as the server records them.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  return withFederation({ sites: SITES }, async ({ user }) => {
    const job = await user.submit(benchJob(SHAPES, { rounds: ROUNDS, sites: SITES }));
    const commits: number[] = [];
    for await (const { view } of job.rounds(signal)) commits.push(view.endedAtMs ?? Number.NaN);
    if (commits.length < ROUNDS) throw new Error(`${commits.length} of ${ROUNDS} rounds were committed`);
    const durations = commits.slice(1).map((end, index) => end - (commits[index] ?? 0));
    const { median, spread, count } = distributionOf(durations.slice(WARM_UP_ROUNDS));
    log(`${count} rounds measured`);
    return {
      benchmark: "round",
      metrics: {
        roundMs: { value: median, unit: "ms", reference: TARGET_MS, ratio: median / TARGET_MS, spread },
      },
    };
  });
}
