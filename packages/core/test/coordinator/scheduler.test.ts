import { describe, expect, test } from "vitest";
import type { JobDefinition } from "../../src/job/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

/** One round at one site. */
const SMALL = { rounds: 1, minimumSites: 1, waitForSitesMs: 600_000 };

/** A job, a moment later than the one before. */
async function submitNext(
  federation: TestFederation,
  definition: Partial<JobDefinition> = {},
): Promise<string> {
  const jobId = await federation.submit(SMALL, definition);
  await federation.clock.advance(1);
  return jobId;
}

async function statesOf(federation: TestFederation): Promise<readonly string[]> {
  return (await federation.coordinator.jobs()).map(({ state }) => state);
}

describe("jobs that wait for their turn", () => {
  test("run as many at once as the server allows, the oldest first", async () => {
    const federation = await TestFederation.start({ coordinator: { concurrentJobs: 2 } });
    for (let count = 0; count < 4; count++) await submitNext(federation);

    await RawSite.connect(federation, "site-1");
    await federation.clock.advance(1);

    expect(await statesOf(federation)).toEqual(["running", "running", "waiting", "waiting"]);
    await federation.stop();
  });

  test("come to their end one after the other, by priority and then the oldest first", async () => {
    const federation = await TestFederation.start({ coordinator: { concurrentJobs: 1 } });
    const first = await submitNext(federation);
    const second = await submitNext(federation);
    const urgent = await submitNext(federation, { priority: 6 });
    const order: string[] = [];
    federation.site("site-1", {
      modules: {
        decideJob: ({ jobId }) => {
          order.push(jobId);
          return Promise.resolve("accept");
        },
      },
    });

    await federation.untilEnd(second);

    expect(order).toEqual([urgent, first, second]);
    expect(await statesOf(federation)).toEqual(["finished", "finished", "finished"]);
    await federation.stop();
  });

  test("can be watched and ended while they wait, with who ended them and why", async () => {
    const federation = await TestFederation.start();
    const jobId = await federation.submit({ ...SMALL, minimumSites: 2 });
    expect((await federation.view(jobId)).state).toBe("waiting");
    const user = await federation.user();

    await federation.clock.runUntil(user.job(jobId).abort({ reason: "the wrong data" }));

    const view = await federation.view(jobId);
    expect(view).toMatchObject({
      state: "aborted",
      reason: "ERR_JOB_ABORTED",
      end: { outcome: "aborted", by: "lead@example.org", code: "ERR_JOB_ABORTED", detail: "the wrong data" },
    });
    await federation.stop();
  });

  test("are refused beyond the number that the server keeps", async () => {
    const federation = await TestFederation.start({ coordinator: { waitingJobs: 1 } });
    await federation.submit(SMALL);

    await expect(federation.submit(SMALL)).rejects.toMatchObject({ code: "ERR_BUSY" });
    await federation.stop();
  });

  test("are told again to whoever handed them in, however many wait", async () => {
    const federation = await TestFederation.start({ coordinator: { waitingJobs: 1 } });
    const user = await federation.user();
    const handIn = () => federation.clock.runUntil(user.submit(aBundle(SMALL), { submitToken: "once" }));
    const { jobId } = await handIn();

    expect((await handIn()).jobId).toBe(jobId);
    await federation.stop();
  });

  test("give up when they lack sites for as long as they wait, and say what they lacked, also after a restart", async () => {
    const federation = await TestFederation.start();
    const jobId = await federation.submit(
      { ...SMALL, waitForSitesMs: 5000 },
      { deployment: { mandatorySites: ["site-9"] } },
    );
    federation.site("site-1");
    await federation.clock.advance(5000);

    const end = {
      outcome: "cannot-schedule",
      by: "server",
      code: "ERR_JOB_TOO_FEW_SITES",
      detail: "the mandatory site site-9 is not connected after 5000 ms",
    };
    expect((await federation.view(jobId)).end).toEqual(end);
    await federation.restart();
    expect((await federation.view(jobId)).end).toEqual(end);
    await federation.stop();
  });

  test("do not wait for one that has its sites and does not begin", async () => {
    const federation = await TestFederation.start({ coordinator: { concurrentJobs: 1 } });
    const undecided = new Promise<never>(() => undefined);
    const hesitant = await federation.submit({ ...SMALL }, { deployment: { sites: ["site-2"] } });
    federation.site("site-2", { modules: { decideJob: () => undecided } });
    federation.site("site-1");
    await federation.clock.settle();

    const next = await federation.submit(SMALL, { deployment: { sites: ["site-1"] } });
    await federation.clock.advance(29_000);
    expect((await federation.view(next)).state).toBe("waiting");

    expect(await federation.untilEnd(next)).toMatchObject({ state: "finished" });
    expect((await federation.view(hesitant)).state).toBe("dispatched");
    await federation.stop();
  });
});

describe("a job is given", () => {
  test("to the sites that it names and to no other, whoever has the data", async () => {
    const federation = await TestFederation.start();
    const [named, other] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    const jobId = await federation.submit(SMALL, { deployment: { sites: ["site-1"] } });
    await federation.clock.advance(1);

    expect([named.tasks.length, other.tasks.length]).toEqual([1, 0]);
    expect((await federation.view(jobId)).sites.map(({ name }) => name)).toEqual(["site-1"]);
    await federation.stop();
  });

  test("to a site only while that has a place, and a place is free when a job has ended", async () => {
    const federation = await TestFederation.start({ coordinator: { jobsPerSite: 1 } });
    const site = await RawSite.connect(federation, "site-1");
    const first = await submitNext(federation);
    const second = await submitNext(federation);
    expect(await statesOf(federation)).toEqual(["running", "waiting"]);

    await federation.coordinator.abort(first);
    await federation.clock.advance(1);

    expect(site.task.jobId).toBe(second);
    await federation.stop();
  });

  test("and does not begin, nor does a round count, without its mandatory site", async () => {
    const federation = await TestFederation.start();
    const [first, second] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    const jobId = await federation.submit(
      { ...SMALL, roundTimeoutMs: 1000, waitForSitesMs: 1500 },
      { deployment: { mandatorySites: ["site-2"] } },
    );
    await federation.clock.advance(1);
    await first.contribute(updateOf(1));

    const view = await federation.untilEnd(jobId);

    expect(second.tasks.length).toBeGreaterThan(0);
    expect(view).toMatchObject({
      state: "failed",
      end: { outcome: "execution-exception", code: "ERR_JOB_TOO_FEW_SITES" },
    });
    expect(view.end?.detail).toContain("site-2");
    await federation.stop();
  });

  test("to others when a site that declined leaves a place", async () => {
    const federation = await TestFederation.start({ coordinator: { jobsPerSite: 1 } });
    const declined = Promise.resolve({ declined: "not that one" });
    let asked = 0;
    const decideJob = () => {
      asked += 1;
      return asked === 1 ? declined : Promise.resolve("accept" as const);
    };
    federation.site("site-1", { modules: { decideJob } });
    await federation.clock.settle();
    await submitNext(federation);
    const second = await submitNext(federation);

    expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
    await federation.stop();
  });
});

test("a finished job says so in its end, and the audit has each step", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  const jobId = await federation.submit(SMALL);

  const view = await federation.untilEnd(jobId);

  expect(view.end).toEqual({ outcome: "completed", by: "server", code: "", detail: "all rounds are done" });
  const steps = (await federation.records()).filter(({ event }) => event.action === "job");
  expect(steps.map(({ event }) => event.reason)).toEqual(["submitted", "started", "rounds done"]);
  await federation.stop();
});
