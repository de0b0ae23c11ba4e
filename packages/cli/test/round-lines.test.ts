import type { ContributionView, JobView, RoundView, SitePhase, SiteView } from "@photinus/core/message";
import { expect, test } from "vitest";
import { progressLine } from "../src/job/progress-line.ts";
import { roundLine, tellableRounds } from "../src/job/round-lines.ts";

function contribution(site: string, outcome: ContributionView["outcome"]): ContributionView {
  return { site, outcome, cause: "", exampleCount: 10, trainingLoss: 0.5, norm: 1, milliseconds: 900 };
}

function round(number: number, extra: Partial<RoundView> = {}): RoundView {
  return {
    round: number,
    startedAtMs: 10_000,
    endedAtMs: 11_900,
    contributions: ["a", "b", "c"].map((site) => contribution(site, "accepted")),
    bytesDown: 52_000,
    bytesUp: 48_000,
    ...extra,
  };
}

function job(history: readonly RoundView[], extra: Partial<JobView> = {}): JobView {
  return {
    jobId: "j",
    name: "mnist",
    purpose: "",
    state: "running",
    reason: "",
    rounds: 10,
    minimumSites: 2,
    startedAtMs: 0,
    modelBytes: 1,
    sites: [],
    history,
    ...extra,
  };
}

const evaluation = (accuracy: number) => ({ accuracy, loss: 0.26, exampleCount: 100 });

test("a round's line tells sites, outcomes, accuracy with its change, loss, time and bytes", () => {
  const history = [round(2, { evaluation: evaluation(0.89) }), round(3, { evaluation: evaluation(0.921) })];

  expect(roundLine(job(history), history[1]!)).toBe(
    "[round 3/10] 3 sites  3 accepted  0 refused  accuracy 0.921 (+0.031)  loss 0.26  1.9 s  ↓0.05 MB ↑0.05 MB",
  );
});

test("the first round is compared with the model as submitted, when it was evaluated", () => {
  const first = round(1, { evaluation: evaluation(0.08) });

  expect(roundLine(job([first], { initialEvaluation: evaluation(0.1) }), first)).toContain("0.080 (-0.020)");
  expect(roundLine(job([first]), first)).toContain("accuracy 0.080  loss");
});

test("metrics of a job stand behind its loss", () => {
  const metrics = [{ name: "auc", value: 0.98765 }];
  const only = round(1, { evaluation: { ...evaluation(0.08), metrics } });

  expect(roundLine(job([only]), only)).toContain("loss 0.26  auc 0.988  1.9 s");
});

test("late and refused contributions are counted as not accepted", () => {
  const mixed = round(1, {
    contributions: [contribution("a", "accepted"), contribution("b", "refused"), contribution("c", "late")],
  });

  expect(roundLine(job([mixed]), mixed)).toContain("3 sites  1 accepted  2 refused  not evaluated");
});

test("a round can be told once it is committed and its model evaluated", () => {
  const { endedAtMs: _, ...running } = round(3);
  const history = [round(1, { evaluation: evaluation(0.5) }), round(2), running];

  expect(tellableRounds(job(history)).map(({ round }) => round)).toEqual([1]);
});

test("when the job has ended, committed rounds without an evaluation are told too", () => {
  const history = [round(1, { evaluation: evaluation(0.5) }), round(2)];

  expect(tellableRounds(job(history, { state: "failed" })).map(({ round }) => round)).toEqual([1, 2]);
});

const aSite = (name: string, phase: SitePhase, progress = 0): SiteView => ({
  ...{ name, org: "", runtime: "node", device: "cpu", phase, progress, cause: "" },
  ...{ trainingExamples: 1, heldOutExamples: 1, accepted: 0, bytesDown: 0, bytesUp: 0 },
});

test("the row of a running round shows how far its sites are; who is gone does not count", () => {
  const { endedAtMs: _ended, ...running } = round(3);
  const sites = [aSite("a", "training", 0.5), aSite("b", "committed"), aSite("c", "disconnected")];

  expect(progressLine(job([running], { sites }))).toBe(
    "round 3/10  [###############-----]  a training, b committed",
  );
});

test("the row of a job that waits says for how many sites", () => {
  const sites = [aSite("a", "connected"), aSite("b", "disconnected")];

  expect(progressLine(job([], { state: "waiting", sites }))).toBe("waiting for 2 sites: 1 connected");
});
