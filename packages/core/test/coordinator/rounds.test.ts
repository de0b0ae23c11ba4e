import { expect, test } from "vitest";
import { sleep } from "../../src/platform/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

test("a job waits for its minimum of sites and starts when they are ready", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  const jobId = await federation.submit({ rounds: 1 });
  await federation.clock.advance(1000);
  expect((await federation.view(jobId)).state).toBe("waiting");

  federation.site("site-2");

  expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a job fails with ERR_JOB_TOO_FEW_SITES when too few sites come in time", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  const jobId = await federation.submit({ waitForSitesMs: 5000 });

  const view = await federation.untilEnd(jobId);

  expect(view).toMatchObject({ state: "failed", reason: "ERR_JOB_TOO_FEW_SITES" });
  await federation.stop();
});

test("a site that has other data is not offered the job", async () => {
  const federation = await TestFederation.start();
  const other = await RawSite.connect(federation, "site-1", ["circle"]);

  const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 1000 });

  expect(await federation.untilEnd(jobId)).toMatchObject({ reason: "ERR_JOB_TOO_FEW_SITES", sites: [] });
  expect(other.tasks).toEqual([]);
  await federation.stop();
});

test("a site that joins late takes part from the next round", async () => {
  const federation = await TestFederation.start();
  const [first, second] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  const jobId = await federation.submit({ rounds: 3 });
  await federation.clock.settle();
  const late = await RawSite.connect(federation, "site-3");
  expect(late.tasks).toEqual([]);

  await first.contribute(updateOf(1));
  await second.contribute(updateOf(1));
  await federation.clock.settle();

  expect(late.task.round).toBe(2);
  expect((await federation.view(jobId)).history[0]?.contributions).toHaveLength(2);
  await federation.stop();
});

test("names the one cause of each site that did not contribute, on the log and in the audit", async () => {
  const federation = await TestFederation.start();
  const sites = [];
  for (const name of ["site-1", "site-2", "site-3", "site-4"]) {
    sites.push(await RawSite.connect(federation, name));
  }
  const [good, slow, silent, gone] = sites;
  const jobId = await federation.submit({
    rounds: 1,
    minimumSites: 4,
    roundTimeoutMs: 10_000,
    waitForSitesMs: 0,
  });
  await federation.clock.settle();

  await good?.contribute(updateOf(1));
  await slow?.progress();
  federation.connections.get("site-4")?.cut();
  const view = await federation.untilEnd(jobId);

  const told = view.history[0]?.contributions.map(({ site, outcome, cause }) => [site, outcome, cause]);
  expect(told?.sort()).toEqual([
    ["site-1", "accepted", ""],
    ["site-2", "late", "ERR_CONTRIBUTION_LATE"],
    ["site-3", "missing", "ERR_CONTRIBUTION_MISSING"],
    ["site-4", "missing", "ERR_SITE_DISCONNECTED"],
  ]);
  const results = (await federation.records()).filter(({ event }) => event.action === "result");
  expect(results.map(({ event }) => [event.object, event.reason]).sort()).toEqual([
    ["site-1", ""],
    ["site-2", "ERR_CONTRIBUTION_LATE"],
    ["site-3", "ERR_CONTRIBUTION_MISSING"],
    ["site-4", "ERR_SITE_DISCONNECTED"],
  ]);
  expect([silent?.answers, gone?.answers]).toEqual([[], []]);
  await federation.stop();
});

test("a round ends at its deadline with the contributions that came, when they are enough", async () => {
  const federation = await TestFederation.start();
  const sites = [];
  for (const name of ["site-1", "site-2", "site-3"]) sites.push(await RawSite.connect(federation, name));
  const jobId = await federation.submit({ rounds: 2, minimumSites: 2, roundTimeoutMs: 10_000 });
  await federation.clock.settle();

  for (const site of sites.slice(1)) await site.contribute(updateOf(1));
  await federation.clock.advance(9_999);
  expect(sites.map(({ task }) => task.round)).toEqual([1, 1, 1]);
  await federation.clock.advance(1);

  expect(sites.map(({ task }) => task.round)).toEqual([2, 2, 2]);
  expect((await federation.view(jobId)).history[0]?.contributions.map(({ outcome }) => outcome)).toEqual([
    "accepted",
    "accepted",
    "missing",
  ]);
  await federation.stop();
});

test("an answer after the end of its round is refused as late", async () => {
  const federation = await TestFederation.start();
  const [good, slow] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  await federation.submit({ rounds: 2, minimumSites: 2, roundTimeoutMs: 10_000, waitForSitesMs: 60_000 });
  await federation.clock.settle();
  await good.contribute(updateOf(1));
  await federation.clock.advance(10_500);

  await slow.contribute(updateOf(1));

  expect(slow.answers).toMatchObject([{ kind: "refused", code: "ERR_CONTRIBUTION_LATE" }]);
  await federation.stop();
});

test("a round with too few contributions is repeated while the job may wait", async () => {
  const federation = await TestFederation.start();
  const [good, slow] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  const jobId = await federation.submit({ rounds: 1, roundTimeoutMs: 10_000, waitForSitesMs: 60_000 });
  await federation.clock.settle();
  await good.contribute(updateOf(1));
  await federation.clock.advance(12_000);
  expect(good.tasks.map(({ round, kind }) => [round, kind])).toEqual([
    [1, "train"],
    [1, "train"],
  ]);

  await good.contribute(updateOf(1));
  await slow.contribute(updateOf(1));

  expect((await federation.view(jobId)).history).toHaveLength(1);
  expect(good.task.kind).toBe("evaluate");
  await federation.stop();
});

test("a site whose session ends while it trains goes on, and its update counts once", async () => {
  const federation = await TestFederation.start();
  const hold: { release?: () => void } = {};
  let trainings = 0;
  federation.site("site-1");
  federation.site("site-2", {
    hooks: {
      beforeTrain: () => {
        trainings += 1;
        if (trainings > 1) return Promise.resolve();
        return new Promise((resolve) => {
          hold.release = resolve;
        });
      },
    },
  });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 2, minimumSites: 1 });
  await federation.clock.settle();
  expect(trainings).toBe(1);

  federation.connections.get("site-2")?.cut();
  await federation.clock.settle();
  hold.release?.();
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(view.history.map(({ contributions }) => contributions.map(({ outcome }) => outcome))).toEqual([
    ["accepted", "accepted"],
    ["accepted", "accepted"],
  ]);
  expect(trainings).toBe(2);
  await federation.stop();
});

test("a site that comes back in the middle of a round has no more time than the others", async () => {
  const federation = await TestFederation.start();
  const site = federation.site("site-1", {
    hooks: {
      beforeTrain: (_request, { signal }) =>
        sleep(federation.clock, 3_600_000, signal).catch(() => undefined),
    },
  });
  const jobId = await federation.submit({ rounds: 1, minimumSites: 1, roundTimeoutMs: 10_000 });
  await federation.clock.settle();
  await federation.clock.advance(6000);
  federation.connections.get("site-1")?.cut();
  await federation.clock.advance(2000);
  expect(site.status.fault).toBeUndefined();

  await federation.clock.advance(1999);
  expect((await federation.view(jobId)).history[0]?.contributions).toEqual([]);
  await federation.clock.advance(1);

  expect((await federation.view(jobId)).history[0]?.contributions).toMatchObject([
    { site: "site-1", outcome: "late", cause: "ERR_CONTRIBUTION_LATE" },
  ]);
  await federation.stop();
});

test("a site that leaves in order is missing at once", async () => {
  const federation = await TestFederation.start();
  const leaving = await RawSite.connect(federation, "site-1");
  await RawSite.connect(federation, "site-2");
  const jobId = await federation.submit({ rounds: 1 });
  await federation.clock.settle();

  await leaving.session.close("ERR_GOING_AWAY", "the site stops");
  await federation.clock.settle();

  expect((await federation.view(jobId)).history[0]?.contributions).toMatchObject([
    { site: "site-1", outcome: "missing", cause: "ERR_SITE_DISCONNECTED" },
  ]);
  await federation.stop();
});

test.each([
  { runtime: "browser", closeCode: 1001, waits: false, name: "a page that was closed is not waited for" },
  { runtime: "browser", closeCode: 1006, waits: true, name: "a page that lost its connection may come back" },
  { runtime: "node", closeCode: 1001, waits: true, name: "no other site is given up by a close code" },
] as const)("$name", async ({ runtime, closeCode, waits }) => {
  const federation = await TestFederation.start();
  const beforeTrain = (_request: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> =>
    sleep(federation.clock, 3_600_000, signal).catch(() => undefined);
  const site = federation.site("site-1", { site: { runtime }, hooks: { beforeTrain } });
  await RawSite.connect(federation, "site-2");
  const jobId = await federation.submit({ rounds: 1 });
  await federation.clock.settle();

  federation.connections.get("site-1")?.cut(closeCode);
  const stopped = site.stop();
  await federation.clock.settle();

  const missing = { site: "site-1", outcome: "missing", cause: "ERR_SITE_DISCONNECTED" };
  expect((await federation.view(jobId)).history[0]?.contributions).toMatchObject(waits ? [] : [missing]);
  await federation.clock.advance(15_000);
  expect((await federation.view(jobId)).history[0]?.contributions).toMatchObject([missing]);
  await stopped;
  await federation.stop();
});

test("a site that declines is not asked, and the job says why", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1", { modules: { decideJob: () => Promise.resolve({ declined: "not for me" }) } });
  federation.site("site-2");
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });

  const view = await federation.untilEnd(jobId);

  expect(view.history[0]?.contributions.map(({ site }) => site)).toEqual(["site-2"]);
  expect(view.sites.find(({ name }) => name === "site-1")).toMatchObject({
    phase: "refused",
    cause: "ERR_JOB_DECLINED",
  });
  await federation.stop();
});

test("a site whose training fails is refused with ERR_TASK_FAILED, the others go on", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  federation.site("site-2", { hooks: { beforeTrain: () => Promise.reject(new Error("no memory")) } });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });

  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(view.history[0]?.contributions.find(({ site }) => site === "site-2")).toMatchObject({
    outcome: "refused",
    cause: "ERR_TASK_FAILED",
  });
  await federation.stop();
});
