/** The middle of `values`, and half the distance of their quartiles over it. */
export interface Distribution {
  readonly median: number;
  readonly spread: number;
  readonly count: number;
}

/** Value at `fraction` (0 to 1) of the sorted values, linear between neighbours. */
function quantile(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const lower = Math.floor(position);
  const below = sorted[lower] ?? Number.NaN;
  return below + ((sorted[lower + 1] ?? below) - below) * (position - lower);
}

/** @throws RangeError for no values */
export function distributionOf(values: readonly number[]): Distribution {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((left, right) => left - right);
  const median = quantile(sorted, 0.5);
  const spread = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / median;
  return { median, spread, count: sorted.length };
}

/** One side of a comparison: the work, whose cost is measured. */
export type Work = () => Promise<void> | void;

/** What each pair is measured in, milliseconds. */
export type CostOf = (work: Work) => Promise<number>;

/** CPU time of this process (all its threads, user and system): what other processes do hardly shows. */
export async function cpuMs(work: Work): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Time on the clock. */
export async function wallMs(work: Work): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** How two works are compared. */
export interface PairOptions {
  /** Default 9. */
  readonly pairs?: number;
  /** Runs of each before the first pair. Default 1. */
  readonly warmUps?: number;
  /** Default {@link cpuMs}. */
  readonly costOf?: CostOf;
  readonly signal?: AbortSignal;
}

/** Outcome of {@link comparePairs}. */
export interface PairedComparison {
  /** candidate / baseline: the median of the pairs' ratios, not the ratio of medians. */
  readonly ratio: Distribution;
  /** Milliseconds. */
  readonly candidate: Distribution;
  /** Milliseconds. */
  readonly baseline: Distribution;
}

/**
 * Compares two works in interleaved pairs: a machine that slows down slows both sides of a pair, so the ratio of a
 * pair tells more than the ratio of two averages. Every second pair runs in the other order.
 */
export async function comparePairs(
  candidate: Work,
  baseline: Work,
  { pairs = 9, warmUps = 1, costOf = cpuMs, signal }: PairOptions = {},
): Promise<PairedComparison> {
  for (let run = 0; run < warmUps; run++) {
    await candidate();
    await baseline();
  }
  const costs: { readonly candidate: number; readonly baseline: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    signal?.throwIfAborted();
    if (pair % 2 === 0) {
      const first = await costOf(candidate);
      costs.push({ candidate: first, baseline: await costOf(baseline) });
    } else {
      const first = await costOf(baseline);
      costs.push({ candidate: await costOf(candidate), baseline: first });
    }
  }
  return {
    ratio: distributionOf(costs.map((cost) => cost.candidate / cost.baseline)),
    candidate: distributionOf(costs.map((cost) => cost.candidate)),
    baseline: distributionOf(costs.map((cost) => cost.baseline)),
  };
}
