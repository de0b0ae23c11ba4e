import { areCounts, count, forLabels, type Metric } from "./metric.ts";

/**
 * R², the coefficient of determination: 1 - Σ (y - x)² / Σ (y - ȳ)², over all numbers of all examples; ȳ is the mean of all
 * sites together. Kept are n, Σ y, Σ y² and Σ (y - x)².
 */
export const determination: Metric = {
  fits: (classCount) => classCount === 1,
  size: () => 4,
  readsOutput: true,
  add: (sums, batch) => {
    forLabels(batch, (label, output) => {
      const said = output(0);
      count(sums, 0, 1);
      count(sums, 1, label);
      count(sums, 2, label * label);
      count(sums, 3, (label - said) ** 2);
    });
  },
  isPossible: (sums) => {
    const [n = 0, total = 0, squares = 0, rest = 0] = Array.from(sums);
    // Cauchy and Schwarz: (Σ y)² ≤ n Σ y², but for roundings.
    return areCounts([n]) && rest >= 0 && squares >= 0 && total * total <= n * squares * (1 + 1e-9);
  },
  finish: (sums) => {
    const [n = 0, total = 0, squares = 0, rest = 0] = Array.from(sums);
    return 1 - rest / (squares - (total * total) / n);
  },
};
