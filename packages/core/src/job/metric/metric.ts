/** What a batch says to a metric. */
export interface MetricBatch {
  /** What the model said: logits or numbers, row-major. Absent where no metric of the job needs it. */
  readonly output?: Float32Array;
  /** The right answers: class ids, or numbers as many as the output has. */
  readonly labels: Int32Array | Float32Array;
  /** How many of the labels are examples; the rest is padding. */
  readonly labelCount: number;
  /** How many of those count. */
  readonly counted: number;
  /** The class id of what does not count. */
  readonly ignoredLabel?: number | undefined;
  /** Classes that the model tells apart; 1 for numbers. */
  readonly classCount: number;
  /** Elements of the output between two classes of one label: 1 where classes lie along the last axis. */
  readonly classStride: number;
  /** Sum of the losses of the labels that count. */
  readonly lossSum: number;
}

/**
 * A metric as sums: those of batches, and of sites, are added element by element before one number is made of them. A
 * mean of what sites measured would be another number wherever the metric is no mean.
 */
export interface Metric {
  /** Whether it says anything of a model of so many classes; 1 stands for numbers, and for yes and no in one logit. */
  fits(classCount: number): boolean;
  /** How many sums it keeps of a model of so many classes. */
  size(classCount: number): number;
  /** Whether it reads {@link MetricBatch.output}. */
  readonly readsOutput: boolean;
  /** Adds a batch to `sums`. */
  add(sums: Float64Array, batch: MetricBatch): void;
  /** Whether examples can have given these finite sums: a site may say what it likes. */
  isPossible(sums: ArrayLike<number>): boolean;
  /** The number that the sums stand for; NaN where nothing was counted that it could be made of. */
  finish(sums: ArrayLike<number>): number;
}

/** Calls `visit` with each label that counts, and a function that reads the logit of a class for it. */
export function forLabels(
  { output = new Float32Array(), labels, labelCount, ignoredLabel, classCount, classStride }: MetricBatch,
  visit: (label: number, logit: (id: number) => number) => void,
): void {
  let start = 0;
  const logit = (id: number): number => output[start + id * classStride] ?? Number.NaN;
  for (let index = 0; index < labelCount; index++) {
    const label = labels[index] ?? 0;
    if (label === ignoredLabel) continue;
    start = Math.floor(index / classStride) * classStride * classCount + (index % classStride);
    visit(label, logit);
  }
}

/** Whether these are numbers of things. */
export function areCounts(sums: ArrayLike<number>): boolean {
  return Array.from(sums).every((sum) => Number.isSafeInteger(sum) && sum >= 0);
}

/** The quotient of two sums. */
export function ratio(sums: ArrayLike<number>): number {
  return (sums[0] ?? Number.NaN) / (sums[1] ?? Number.NaN);
}

/** Adds to one of the sums. */
export function count(sums: Float64Array, index: number, by: number): void {
  sums[index] = (sums[index] ?? 0) + by;
}
