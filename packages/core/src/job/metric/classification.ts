import { areCounts, count, forLabels, type Metric, type MetricBatch, ratio } from "./metric.ts";

/** Classes before `label` in the order of their logits: the first of equal ones comes first. */
function rankOf(label: number, logit: (id: number) => number, classCount: number): number {
  const own = logit(label);
  let before = 0;
  for (let id = 0; id < classCount; id++) {
    const other = logit(id);
    if (!(other < own) && id !== label && (other !== own || id < label)) before++;
  }
  return before;
}

/** The share of labels that are among the `k` classes of the greatest logits. A NaN counts as greater than everything. */
export function topK(k: number): Metric {
  return {
    fits: (classCount) => classCount > 1,
    size: () => 2,
    readsOutput: true,
    add: (sums, batch) => {
      forLabels(batch, (label, logit) => {
        if (rankOf(label, logit, batch.classCount) < k) count(sums, 0, 1);
        count(sums, 1, 1);
      });
    },
    isPossible: (sums) => areCounts(sums) && (sums[0] ?? 0) <= (sums[1] ?? 0),
    finish: ratio,
  };
}

/**
 * Counts by label (row) and answer (column). Its number is the balanced accuracy: the mean over the classes that occur of
 * the share of their examples that are found (Brodersen et al. 2010).
 */
export const confusionMatrix: Metric = {
  fits: (classCount) => classCount > 1,
  size: (classCount) => classCount ** 2,
  readsOutput: true,
  add: (sums, batch) => {
    forLabels(batch, (label, logit) => {
      count(sums, label * batch.classCount + answerOf(logit, batch), 1);
    });
  },
  isPossible: areCounts,
  finish: (sums) => {
    const classes = Math.sqrt(sums.length);
    const recalls: number[] = [];
    for (let row = 0; row < classes; row++) {
      let whole = 0;
      for (let column = 0; column < classes; column++) whole += sums[row * classes + column] ?? 0;
      if (whole > 0) recalls.push((sums[row * classes + row] ?? 0) / whole);
    }
    return recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
  },
};

function answerOf(logit: (id: number) => number, { classCount }: MetricBatch): number {
  let best = 0;
  for (let id = 1; id < classCount; id++) if (logit(id) > logit(best)) best = id;
  return best;
}

/** exp of the mean loss: of cross-entropy, over how many classes the model hesitates. */
export const perplexity: Metric = {
  fits: (classCount) => classCount > 1,
  size: () => 2,
  readsOutput: false,
  add: (sums, { lossSum, counted }) => {
    count(sums, 0, lossSum);
    count(sums, 1, counted);
  },
  isPossible: (sums) => (sums[0] ?? 0) >= 0 && areCounts([sums[1] ?? 0]),
  finish: (sums) => Math.exp(ratio(sums)),
};
