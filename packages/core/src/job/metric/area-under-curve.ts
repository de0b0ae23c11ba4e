import { areCounts, count, forLabels, type Metric, type MetricBatch } from "./metric.ts";

/** Equal parts of [0, 1] that probabilities are counted in. */
const BINS = 1024;

/** The probability of yes: of one logit, or of the second of two. */
function probabilityOf(logit: (id: number) => number, { classCount }: MetricBatch): number {
  const difference = classCount === 2 ? logit(1) - logit(0) : logit(0);
  return 1 / (1 + Math.exp(-difference));
}

/**
 * The area under the receiver operating characteristic: the probability that a yes has a greater score than a no, half
 * of it where both are equal (Hanley and McNeil 1982). Scores are probabilities counted in 1 024 equal bins, first those of
 * no, then those of yes, so that sites send counts and never scores; two scores of one bin are taken for equal, which
 * changes the area by at most half the share of pairs that share a bin.
 */
export const areaUnderCurve: Metric = {
  fits: (classCount) => classCount <= 2,
  size: () => 2 * BINS,
  readsOutput: true,
  add: (sums, batch) => {
    forLabels(batch, (label, logit) => {
      const probability = probabilityOf(logit, batch);
      if (Number.isNaN(probability)) return;
      const bin = Math.min(BINS - 1, Math.floor(probability * BINS));
      count(sums, bin + (label > 0.5 ? BINS : 0), 1);
    });
  },
  isPossible: areCounts,
  finish: (sums) => {
    let below = 0;
    let yes = 0;
    let wins = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const [nos, yeses] = [sums[bin] ?? 0, sums[bin + BINS] ?? 0];
      wins += yeses * (below + nos / 2);
      below += nos;
      yes += yeses;
    }
    return wins / (below * yes);
  },
};
