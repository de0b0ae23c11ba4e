import { describe, expect, test } from "vitest";
import { chooseJob, inOrder, type SiteCapacity, type WaitingJob } from "../../src/coordinator/choose-job.ts";
import type { DeploymentDefinition } from "../../src/job/index.ts";
import { seededRandom } from "../../src/testing/index.ts";

const NOW = 1_000_000;

interface Given {
  readonly ageMs?: number;
  readonly priority?: number;
  readonly minimumSites?: number;
  readonly deployment?: DeploymentDefinition;
  readonly notBeforeMs?: number;
}

function job(jobId: string, given: Given = {}): WaitingJob {
  const { ageMs = 0, priority, minimumSites = 1, deployment, notBeforeMs = 0 } = given;
  return {
    jobId,
    submittedAtMs: NOW - ageMs,
    notBeforeMs,
    definition: {
      dataName: "line",
      workflow: { name: "fedavg", rounds: 1, minimumSites, roundTimeoutMs: 1, waitForSitesMs: 1 },
      ...(priority === undefined ? {} : { priority }),
      ...(deployment === undefined ? {} : { deployment }),
    },
  };
}

const site = (name: string, free = 1, dataNames = ["line"]): SiteCapacity => ({ name, free, dataNames });
const ids = (jobs: readonly WaitingJob[]): readonly string[] => jobs.map(({ jobId }) => jobId);

describe("the order of waiting jobs", () => {
  test("is the oldest first", () => {
    expect(ids(inOrder([job("b", { ageMs: 1 }), job("c"), job("a", { ageMs: 2 })], NOW))).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  test("puts a higher priority before age", () => {
    expect(ids(inOrder([job("old", { ageMs: 59_000 }), job("high", { priority: 6 })], NOW))).toEqual([
      "high",
      "old",
    ]);
  });

  test("lets no job starve: a minute of waiting counts like one step of priority", () => {
    const low = job("low", { priority: 0, ageMs: 10 * 60_000 });

    expect(ids(inOrder([job("high", { priority: 9 }), low], NOW))).toEqual(["low", "high"]);
  });

  test("is the same whatever the order in which the jobs are given", () => {
    const random = seededRandom("order");
    const jobs = Array.from({ length: 40 }, (_, at) =>
      job(`${at}`, { ageMs: 60_000 * random.integer(4), priority: random.integer(10) }),
    );
    const shuffled = [...jobs].sort(() => random.uniform() - 0.5);

    expect(ids(inOrder(shuffled, NOW))).toEqual(ids(inOrder(jobs, NOW)));
  });
});

describe("the next job", () => {
  test("gets every site that has its data and a place", () => {
    const sites = [site("a"), site("b", 0), site("c", 1, ["circle"]), site("d")];

    expect(chooseJob([job("x")], sites, { nowMs: NOW }).next?.sites).toEqual(["a", "d"]);
  });

  test("gets the sites that it names and no other", () => {
    const named = job("x", { deployment: { sites: ["b"] } });

    expect(chooseJob([named], [site("a"), site("b")], { nowMs: NOW }).next?.sites).toEqual(["b"]);
  });

  test("is not one that lacks its minimum or a mandatory site, and what it lacks is told", () => {
    const few = job("few", { minimumSites: 2, ageMs: 2 });
    const without = job("without", { deployment: { mandatorySites: ["z"] }, ageMs: 1 });

    const { next, lacking } = chooseJob([few, without, job("fits")], [site("a")], { nowMs: NOW });

    expect(next?.job.jobId).toBe("fits");
    expect(lacking.map(({ why }) => why)).toEqual([
      "1 of 2 sites with the data are connected",
      "the mandatory site z is not connected",
    ]);
  });

  test("waits while a mandatory site works for others, and does not count as lacking", () => {
    const bound = job("bound", { deployment: { mandatorySites: ["b"] } });

    expect(chooseJob([bound], [site("a"), site("b", 0)], { nowMs: NOW })).toEqual({
      next: undefined,
      lacking: [],
    });
  });

  test("may go past a big one, for half a minute and no longer", () => {
    const sites = [site("a"), site("b", 0)];
    const big = (ageMs: number): WaitingJob => job("big", { minimumSites: 2, ageMs });

    expect(chooseJob([big(29_999), job("small")], sites, { nowMs: NOW }).next?.job.jobId).toBe("small");
    expect(chooseJob([big(30_000), job("small")], sites, { nowMs: NOW }).next).toBeUndefined();
  });

  test("may use sites that the big one cannot", () => {
    const big = job("big", { minimumSites: 2, ageMs: 60_000, deployment: { sites: ["a", "b"] } });
    const sites = [site("a"), site("b", 0), site("c")];

    expect(chooseJob([big, job("small")], sites, { nowMs: NOW }).next?.sites).toEqual(["c"]);
  });

  test("may not go past one that cannot begin at the moment, once that has waited for half a minute", () => {
    const mayBegin = ({ jobId }: WaitingJob): boolean => jobId !== "asks";
    const next = (ageMs: number) =>
      chooseJob([job("asks", { ageMs }), job("small")], [site("a")], { nowMs: NOW, mayBegin }).next;

    expect(next(29_999)?.job.jobId).toBe("small");
    expect(next(30_000)).toBeUndefined();
  });

  test("is not one that is to be tried later", () => {
    const later = job("later", { notBeforeMs: NOW + 1 });

    expect(chooseJob([later], [site("a")], { nowMs: NOW })).toEqual({ next: undefined, lacking: [] });
    expect(chooseJob([later], [site("a")], { nowMs: NOW + 1 }).next?.job.jobId).toBe("later");
  });
});
