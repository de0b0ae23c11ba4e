/** Where a batch is written: one row per example, all behind another from the start. */
export interface BatchBuffers {
  /** At least as many times the size of an example as examples are read. */
  readonly examples: Float32Array;
  /** Class ids. */
  readonly labels: Int32Array;
}

/** Labelled examples in memory. */
export interface Dataset {
  /** Number of examples. */
  readonly count: number;
  /** Shape of one example, as [1, 28, 28]. */
  readonly exampleShape: readonly number[];
  /** Labels are 0 to `classCount` - 1. */
  readonly classCount: number;
  /** Writes the examples at `indices` into `into`, in that order. */
  read(indices: Uint32Array, into: BatchBuffers): void;
}

/** What a site learns from. */
export interface SiteData {
  /** Local training draws from these. */
  readonly training: Dataset;
  /** Evaluation uses these; undefined when the site has none. */
  readonly heldOut: Dataset | undefined;
}

/**
 * Finds the site's data for the name in a job.
 * @throws TrainingError `ERR_DATA_MISSING`, or `ERR_DATA_MALFORMED` when it is damaged
 */
export type DataSource = (dataName: string) => Promise<SiteData>;
