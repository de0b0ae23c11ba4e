import { readFileSync, writeFileSync } from "node:fs";

/** What a process has used. */
export interface Usage {
  /** User and system time of all its threads, ms. */
  readonly cpuMs: number;
  /** Largest resident set since {@link forgetPeak}, bytes. */
  readonly peakBytes: number;
  /** Resident set now, bytes. */
  readonly residentBytes: number;
}

/** CPU time of this process so far, all threads, ms. */
export function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @throws Error where there is no /proc: memory is measured on Linux only */
export function usage(): Usage {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return { cpuMs: cpuNowMs(), peakBytes: Number(peak) * 1024, residentBytes: process.memoryUsage.rss() };
}

/** From now on the peak counts anew (proc(5), clear_refs). */
export function forgetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}
