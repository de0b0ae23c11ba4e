import { expect, test } from "vitest";
import {
  closingLine,
  faultsOf,
  parseClosingLine,
  playwrightCounts,
  vitestCounts,
} from "../../scripts/test-results.ts";

const vitestReport = {
  numPassedTests: 3,
  numFailedTests: 1,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [],
};

test("reads the counts of a vitest report", () => {
  expect(vitestCounts(vitestReport)).toEqual({ passed: 3, failed: 1, skipped: 1 });
});

test("counts a test file that does not load as one failure", () => {
  const testResults = [
    { status: "failed", assertionResults: [] },
    { status: "failed", assertionResults: [{ status: "failed" }] },
  ];

  expect(vitestCounts({ ...vitestReport, testResults }).failed).toBe(2);
});

test("reads the counts of a Playwright report, a flaky test being a failed one", () => {
  const stats = { expected: 4, unexpected: 1, flaky: 1, skipped: 2 };

  expect(playwrightCounts({ stats, errors: [] })).toEqual({ passed: 4, failed: 2, skipped: 2 });
});

test("refuses a report without counts", () => {
  expect(() => vitestCounts({})).toThrow("numPassedTests");
  expect(() => playwrightCounts(undefined)).toThrow("expected");
});

test("the closing line sums all runners and can be read back", () => {
  const line = closingLine([
    { passed: 3, failed: 0, skipped: 0 },
    { passed: 4, failed: 1, skipped: 0 },
  ]);

  expect(line).toBe("7 passed, 1 failed");
  expect(parseClosingLine(`noise\n${line}\n`)).toEqual({ passed: 7, failed: 1, skipped: 0 });
});

test("refuses output that does not end with a closing line", () => {
  expect(() => parseClosingLine("7 passed, 0 failed\nmore")).toThrow("more");
});

test("a run in which one runner ran no test is not green", () => {
  const node = { runner: "node", passed: 9, failed: 0, skipped: 0 };

  expect(faultsOf([node])).toEqual([]);
  expect(faultsOf([node, { runner: "browser", passed: 0, failed: 0, skipped: 5 }])).toEqual([
    "browser: ran no test",
  ]);
  expect(faultsOf([])).toEqual(["no runner ran"]);
});
