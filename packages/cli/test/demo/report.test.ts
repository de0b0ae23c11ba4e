import type { JobView, Observation, SiteView } from "@photinus/core/message";
import { expect, test } from "vitest";
import { Cleanup } from "../../src/demo/cleanup.ts";
import { closingLine, reportOf } from "../../src/demo/report.ts";
import { roundLine } from "../../src/job/round-lines.ts";
import { watchRounds } from "../../src/job/watch-rounds.ts";

const site = (name: string, accepted: number): SiteView => ({
  name,
  org: "demo",
  runtime: "node",
  device: "cpu",
  phase: "idle",
  progress: 0,
  cause: "",
  trainingExamples: 10,
  heldOutExamples: 2,
  accepted,
  bytesDown: 300,
  bytesUp: 100,
});

const evaluation = { accuracy: 0.9649, loss: 0.1, exampleCount: 2_000 };
const round = (number: number) => ({
  round: number,
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  contributions: [],
  evaluation,
  bytesDown: 0,
  bytesUp: 0,
});

const job: JobView = {
  jobId: "j",
  name: "mnist",
  purpose: "",
  state: "finished",
  reason: "rounds done",
  rounds: 2,
  minimumSites: 2,
  startedAtMs: 0,
  modelBytes: 1,
  sites: [site("site-1", 2), site("site-2", 1), site("guest-1", 0)],
  history: [round(1), round(2)],
};
const audit = { records: 187, verified: true };
const times = { startedAtMs: 1_000, endedAtMs: 9_500 };

test("the report counts rounds, sites that contributed, and the bytes of all sites", () => {
  expect(reportOf({ job, firstRoundAtMs: 4_000 }, audit, times)).toEqual({
    rounds: 2,
    sites: 2,
    accuracy: 0.9649,
    loss: 0.1,
    seconds: 8.5,
    secondsToFirstRound: 3,
    bytesUp: 300,
    bytesDown: 900,
    audit,
  });
});

test.each(["failed", "aborted", "running"] as const)("there is no report of a job that is %s", (state) => {
  expect(() => reportOf({ job: { ...job, state }, firstRoundAtMs: 4_000 }, audit, times)).toThrowError(
    expect.objectContaining({ code: "ERR_JOB_FAILED" }),
  );
});

test("the closing line tells accuracy and audit, and does not hide a broken chain", () => {
  const report = reportOf({ job, firstRoundAtMs: 4_000 }, audit, times);

  expect(closingLine(report)).toBe("Done: accuracy 0.96 after 2 rounds. Audit: 187 records, chain verified.");
  expect(closingLine({ ...report, rounds: 1, audit: { records: 3, verified: false } })).toBe(
    "Done: accuracy 0.96 after 1 round. Audit: 3 records, CHAIN BROKEN.",
  );
});

test("rounds are told once each, in order, when they can be", async () => {
  const { evaluation: _, ...unmeasured } = round(1);
  const observations: readonly Observation[] = [
    { kind: "snapshot", sequence: 1, job: { ...job, state: "running", history: [] } },
    { kind: "increment", sequence: 2, change: { kind: "round", round: unmeasured } },
    { kind: "increment", sequence: 3, change: { kind: "round", round: round(1) } },
    { kind: "increment", sequence: 4, change: { kind: "site", site: site("site-1", 1) } },
    { kind: "increment", sequence: 5, change: { kind: "round", round: round(2) } },
    { kind: "increment", sequence: 6, change: { kind: "job", state: "finished", reason: "", atMs: 9 } },
  ];
  const told: string[] = [];
  let now = 0;
  const clock = {
    now: () => {
      now += 1;
      return now;
    },
    after: () => ({ cancel: () => undefined }),
    yield: async () => undefined,
  };
  async function* observe() {
    yield* observations;
  }

  const watched = await watchRounds(
    { observe },
    { clock, tell: (view, round) => told.push(roundLine(view, round)), signal: new AbortController().signal },
  );

  expect(told.map((line) => line.slice(0, 11))).toEqual(["[round 1/2]", "[round 2/2]"]);
  expect(watched?.job.state).toBe("finished");
  expect(watched?.firstRoundAtMs).toBe(1);
});

test("cleanup runs every step, last first, once, and tells the first failure", async () => {
  const ran: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add(async () => void ran.push("folder"));
  cleanup.add(async () => {
    ran.push("server");
    throw new Error("server failed");
  });
  cleanup.add(async () => void ran.push("sites"));

  await expect(cleanup.run()).rejects.toThrow("server failed");
  await cleanup.run();

  expect(ran).toEqual(["sites", "server", "folder"]);
});
