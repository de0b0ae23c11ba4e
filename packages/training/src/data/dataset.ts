/** The memory of one tensor of a batch: f32, i32, i64, bool. */
export type BatchArray = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** Where a batch is written: one row per example, all behind another from the start. */
export interface BatchBuffers {
  /** One for each of the data set's features, in that order; at least as many rows as examples are read. */
  readonly features: readonly BatchArray[];
  /** Class ids, or numbers in float32. */
  readonly labels: Int32Array | Float32Array;
}

/** Something that every example has. */
export interface Feature {
  /** The input of the model that it feeds, by its name in the file. A single one feeds a single input of any name. */
  readonly name: string;
  /** Element type. */
  readonly dtype: "f32" | "i32" | "i64" | "bool";
  /** Shape of one example's part, as [1, 28, 28]. */
  readonly shape: readonly number[];
  /** True where NaN stands for a number that is missing: only a transform of the job puts one there. Default: false. */
  readonly mayMiss?: boolean;
}

/** What the right answers are: class ids from 0 to `classCount` - 1, or numbers. */
export type Labelling =
  | { readonly kind: "classes"; readonly classCount: number; readonly shape: readonly number[] }
  | { readonly kind: "numbers"; readonly shape: readonly number[] };

/** Labelled examples, in memory or read piece by piece. */
export interface Dataset {
  /** Number of examples. */
  readonly count: number;
  /** What an example consists of. */
  readonly features: readonly Feature[];
  /** What its label is; `shape` is that of one example's label, [] for a single one. */
  readonly labelling: Labelling;
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

/** The memory of the f32 feature at `index`. @throws TypeError when it is of another type */
export function floatsOf({ features }: BatchBuffers, index: number): Float32Array {
  const memory = features[index];
  if (!(memory instanceof Float32Array)) throw new TypeError(`feature ${index} is not f32`);
  return memory;
}
