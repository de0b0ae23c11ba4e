import type { BenchProject } from "./project.ts";

/** What each part of the benchmark is told. */
export interface PartOptions {
  readonly project: BenchProject;
  /** Measurements of each figure and of its reference. */
  readonly pairs: number;
  /** Sites that log in and stay. */
  readonly sites: number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}
