/** What one runner counted. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Tests that a condition left out, or `test.skip`. */
  readonly skipped: number;
}

/** A runner and what it counted. */
export interface RunnerResult extends Counts {
  readonly runner: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function count(report: unknown, key: string): number {
  const value = isRecord(report) ? report[key] : undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`the runner's report has no count "${key}"`);
  }
  return value;
}

/** Counts of vitest's json reporter. A file that does not load has no tests, yet fails: it counts as one. */
export function vitestCounts(report: unknown): Counts {
  const files = isRecord(report) && Array.isArray(report["testResults"]) ? report["testResults"] : [];
  const unloaded = files.filter(
    (file) => file.status === "failed" && file.assertionResults.every(isNotFailed),
  ).length;
  return {
    passed: count(report, "numPassedTests"),
    failed: count(report, "numFailedTests") + unloaded,
    skipped: count(report, "numPendingTests") + count(report, "numTodoTests"),
  };
}

const isNotFailed = (assertion: { readonly status: string }): boolean => assertion.status !== "failed";

/** Counts of Playwright's json reporter. A flaky test is a failed one. */
export function playwrightCounts(report: unknown): Counts {
  const stats = isRecord(report) ? report["stats"] : undefined;
  const errors = isRecord(report) && Array.isArray(report["errors"]) ? report["errors"].length : 0;
  return {
    passed: count(stats, "expected"),
    failed: count(stats, "unexpected") + count(stats, "flaky") + errors,
    skipped: count(stats, "skipped"),
  };
}

/** The closing line of all runners. */
export function closingLine(results: readonly Counts[]): string {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  return `${passed} passed, ${failed} failed`;
}

/** Reads a closing line back. @throws Error when `output` does not end with one */
export function parseClosingLine(output: string): Counts {
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const match = /^(\d+) passed, (\d+) failed$/.exec(last);
  if (match === null) throw new Error(`expected "N passed, N failed" as the last line, got "${last}"`);
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: 0 };
}

/** Why a run is not green, one line each; empty when it is. A runner that ran nothing proves nothing. */
export function faultsOf(results: readonly RunnerResult[]): readonly string[] {
  const faults = results.flatMap(({ runner, passed, failed }) => {
    if (failed > 0) return [`${runner}: ${failed} failed`];
    return passed === 0 ? [`${runner}: ran no test`] : [];
  });
  return results.length === 0 ? ["no runner ran"] : faults;
}
