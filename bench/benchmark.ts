/** One figure of a benchmark. */
export interface Metric {
  readonly value: number;
  /** "ms", "MB/s", "steps/s", "x" for a ratio, "models", ... */
  readonly unit: string;
  /** What the value is compared with, in the same unit. */
  readonly reference?: number;
  /** value / reference */
  readonly ratio?: number;
  /** Half the distance of the quartiles over the median: how much a repetition differs. */
  readonly spread?: number;
}

/** What a benchmark gives back. */
export interface BenchmarkResult {
  /** Its name, as typed after `npm run bench --`. */
  readonly benchmark: string;
  /** Figures by key. */
  readonly metrics: Readonly<Record<string, Metric>>;
}

/** How a benchmark is called. */
export interface BenchmarkOptions {
  /** What follows the name on the command line, without `--json`. */
  readonly args: readonly string[];
  /** Says how far it is; goes to standard error. */
  readonly log: (line: string) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The shape of a file `bench/<name>.ts`. */
export interface Benchmark {
  readonly run: (options: BenchmarkOptions) => Promise<BenchmarkResult>;
}

/** The machine that a figure was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Day, UTC. */
  readonly date: string;
}

/** A benchmark's result with the machine it ran on: what `--json` prints. */
export interface BenchmarkReport extends BenchmarkResult {
  readonly machine: Machine;
}
