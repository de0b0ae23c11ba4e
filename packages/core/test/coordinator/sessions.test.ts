import { expect, test } from "vitest";
import { verifyChain } from "../../src/audit/index.ts";
import { toHex } from "../../src/bytes/index.ts";
import { RECORDS_AT_ONCE } from "../../src/coordinator/bounded-audit.ts";
import { siteReady } from "../../src/message/index.ts";
import { sessionPair } from "../../src/testing/index.ts";
import { fedavg, workflowRegistry } from "../../src/workflow/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

test("a certificate has one live session: the newest wins and the old one is told ERR_SUPERSEDED", async () => {
  const federation = await TestFederation.start();
  const first = await RawSite.connect(federation, "site-1");

  await RawSite.connect(federation, "site-1");

  expect(await federation.clock.runUntil(first.session.ended)).toMatchObject({ code: "ERR_SUPERSEDED" });
  expect(federation.coordinator.sites().map(({ name }) => name)).toEqual(["site-1"]);
  await federation.stop();
});

test("what an older session of the certificate sends after the newer one has come has no effect", async () => {
  const federation = await TestFederation.start();
  const older = await RawSite.connect(federation, "site-1");
  const newer = await RawSite.connect(federation, "site-1");

  const late = older.session
    .send(siteReady, { runtime: "browser", dataNames: ["stolen"], preparedJobs: [], heldUpdates: [] })
    .catch((error: unknown) => error);
  await federation.clock.settle();

  expect(await late).toMatchObject({ code: "ERR_SUPERSEDED" });
  expect(federation.coordinator.sites()).toMatchObject([{ name: "site-1", dataNames: ["line"] }]);
  expect(newer.session.signal.aborted).toBe(false);
  await federation.stop();
});

test("lists the sites that are connected, and no longer those that left", async () => {
  const federation = await TestFederation.start();
  const site = await RawSite.connect(federation, "site-2");
  expect(federation.coordinator.sites()).toMatchObject([
    { name: "site-2", runtime: "node", dataNames: ["line"] },
  ]);

  await site.session.close("ERR_GOING_AWAY");
  await federation.clock.settle();

  expect(federation.coordinator.sites()).toEqual([]);
  await federation.stop();
});

test("records logins, consent, tasks, results, rounds and the job in a chain that verifies", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  federation.site("site-2");
  const jobId = await federation.submit({ rounds: 1 });
  await federation.untilEnd(jobId);

  const records = await federation.records();

  const counts = new Map<string, number>();
  for (const { event } of records) {
    const key = `${event.action} ${event.outcome}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(Object.fromEntries(counts)).toEqual({
    "login accepted": 3,
    "job accepted": 1,
    "consent accepted": 2,
    "task done": 2,
    "job done": 2,
    "result accepted": 4,
    "round done": 1,
  });
  const digest = toHex(federation.identityOf("site-1").participant.leafDigest);
  expect(records.some(({ event }) => event.actor === `${digest} site-1`)).toBe(true);
  expect((await verifyChain(federation.crypto, records)).count).toBe(records.length);
  await federation.stop();
});

test("a member may not submit a job", async () => {
  const federation = await TestFederation.start();
  const member = await federation.user("member@example.org");

  await expect(federation.clock.runUntil(member.submit(aBundle()))).rejects.toMatchObject({
    code: "ERR_FORBIDDEN",
  });

  expect(await federation.coordinator.jobs()).toEqual([]);
  await federation.stop();
});

test("the same submit token is the same job", async () => {
  const federation = await TestFederation.start();
  const user = await federation.user();

  const first = await federation.clock.runUntil(user.submit(aBundle(), { submitToken: "run-1" }));
  const again = await federation.clock.runUntil(user.submit(aBundle(), { submitToken: "run-1" }));
  const other = await federation.clock.runUntil(user.submit(aBundle(), { submitToken: "run-2" }));

  expect(again.jobId).toBe(first.jobId);
  expect(other.jobId).not.toBe(first.jobId);
  expect(await federation.coordinator.jobs()).toHaveLength(2);
  await federation.stop();
});

test("a user follows the rounds of a job and gets its model", async () => {
  const federation = await TestFederation.start();
  federation.site("site-1");
  federation.site("site-2");
  const user = await federation.user();
  const job = await federation.clock.runUntil(user.submit(aBundle({ rounds: 2 })));

  const rounds = await federation.clock.runUntil(
    (async () => {
      const all = [];
      for await (const { number, metrics } of job.rounds()) all.push([number, metrics?.exampleCount]);
      return all;
    })(),
  );

  expect(rounds).toEqual([
    [1, 16],
    [2, 16],
  ]);
  expect((await federation.clock.runUntil(job.result())).version).toBe(2);
  await federation.stop();
});

test("a submitter ends a job for good; its sites are told", async () => {
  const federation = await TestFederation.start();
  const site = await RawSite.connect(federation, "site-1");
  const user = await federation.user();
  const job = await federation.clock.runUntil(user.submit(aBundle({ minimumSites: 1 })));
  await federation.clock.settle();

  await federation.clock.runUntil(job.abort());

  expect(await federation.coordinator.job(job.jobId)).toMatchObject({ state: "aborted" });
  await federation.clock.settle();
  expect(site.ended).toEqual(["ERR_JOB_ABORTED"]);
  await federation.stop();
});

test("a member may watch a job but neither end it nor take its model", async () => {
  const federation = await TestFederation.start();
  const jobId = await federation.submit();
  const member = await federation.user("member@example.org");
  const job = member.job(jobId);

  await expect(federation.clock.runUntil(job.abort())).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  await expect(federation.clock.runUntil(job.result())).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  const first = await federation.clock.runUntil(job.observe().next());
  expect(first.value).toMatchObject({ kind: "snapshot", job: { state: "waiting" } });
  await federation.stop();
});

test("a workflow that throws ends its job only", async () => {
  let jobs = 0;
  const broken = {
    ...fedavg,
    run: (...args: Parameters<typeof fedavg.run>) => {
      jobs += 1;
      return jobs === 1 ? Promise.reject(new Error("bug")) : fedavg.run(...args);
    },
  };
  const federation = await TestFederation.start({ workflows: workflowRegistry([broken]) });
  federation.site("site-1");
  federation.site("site-2");
  const first = await federation.submit({ rounds: 1 });
  const second = await federation.submit({ rounds: 1 });

  expect(await federation.untilEnd(first)).toMatchObject({ state: "failed", reason: "ERR_JOB_FAILED" });
  expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a version of the workflow other than the recorded one ends the job with ERR_WORKFLOW_CHANGED", async () => {
  const workflows = new Map(workflowRegistry([fedavg]));
  const federation = await TestFederation.start({ workflows });
  await RawSite.connect(federation, "site-1");
  const jobId = await federation.submit({ rounds: 2, minimumSites: 1 });
  await federation.clock.settle();

  workflows.set("fedavg", { ...fedavg, version: fedavg.version + 1 });
  await federation.clock.runUntil(federation.restart());

  expect(await federation.untilEnd(jobId)).toMatchObject({ state: "failed", reason: "ERR_WORKFLOW_CHANGED" });
  await federation.stop();
});

test("more jobs than may run at once wait in order of submission", async () => {
  const federation = await TestFederation.start({ coordinator: { concurrentJobs: 1 } });
  federation.site("site-1");
  federation.site("site-2");
  const jobIds: string[] = [];
  for (let number = 0; number < 3; number++) {
    jobIds.push(await federation.submit({ rounds: 1 }));
    await federation.clock.advance(1);
  }

  for (const jobId of jobIds) expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });

  const records = (await federation.records()).filter(({ event }) => event.reason === "started");
  expect(records.map(({ event }) => event.object)).toEqual(jobIds);
  await federation.stop();
});

test("a site that missed its COMMITTED is told when it comes back", async () => {
  const federation = await TestFederation.start();
  const held = { jobId: "", taskId: "" };
  const [one, two] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  held.jobId = await federation.submit({ rounds: 2 });
  await federation.clock.settle();
  held.taskId = one.task.taskId;
  await one.contribute(updateOf(1));
  federation.connections.get("site-1")?.cut();
  await federation.clock.settle();
  await two.contribute(updateOf(1));
  await federation.clock.settle();

  const back = await RawSite.connect(federation, "site-1", ["line"], [held]);
  await federation.clock.settle();

  expect(back.answers).toEqual([{ kind: "committed", code: "", taskId: held.taskId }]);
  await federation.stop();
});

test("an offer that stalls in an older session takes no place of the newer one, whose jobs go on", async () => {
  const federation = await TestFederation.start({ coordinator: { jobsPerSite: 2 } });
  const { clock, crypto, project } = federation;
  const jobs = [await federation.submit({ rounds: 1, minimumSites: 1 })];
  jobs.push(await federation.submit({ rounds: 1, minimumSites: 1 }));
  const first = await RawSite.connect(federation, "site-1");
  await clock.advance(3000);
  expect(first.tasks).toHaveLength(2);
  const older = await sessionPair({ project, crypto, clock, identity: federation.identityOf("site-1") });
  older.client.receive({ routes: [], onObject: () => undefined });
  let giveUp = (): void => undefined;
  older.server.sendObject = () =>
    new Promise((_, reject) => {
      giveUp = () => reject(older.server.signal.reason);
    });
  await federation.coordinator.admit(older.server);
  await older.client.send(siteReady, {
    runtime: "node",
    dataNames: ["line"],
    preparedJobs: [],
    heldUpdates: [],
  });
  await clock.settle();

  const newer = await RawSite.connect(federation, "site-1");
  await clock.settle();
  giveUp();
  await clock.advance(3000);

  const views = await Promise.all(jobs.map((jobId) => federation.view(jobId)));
  expect(views.map(({ sites }) => sites.map(({ phase }) => phase))).toEqual([["idle"], ["idle"]]);
  expect(newer.tasks.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.toSorted());
  await federation.stop();
});

test("requests that are refused without end leave a bounded number of records, and then none", async () => {
  const federation = await TestFederation.start();
  const jobId = await federation.submit();
  const member = await federation.user("member@example.org");
  const before = (await federation.records()).length;
  const ask = (): Promise<string> =>
    federation.clock.runUntil(member.job(jobId).abort()).then(
      () => "done",
      ({ code }) => code,
    );

  const codes: string[] = [];
  for (let count = 0; count < RECORDS_AT_ONCE + 5; count++) codes.push(await ask());

  expect(codes.slice(0, RECORDS_AT_ONCE).every((code) => code === "ERR_FORBIDDEN")).toBe(true);
  expect(codes.at(-1)).toBe("ERR_RATE_LIMITED");
  expect((await federation.records()).length - before).toBeLessThan(RECORDS_AT_ONCE + 5);
  await federation.clock.advance(60_000);
  expect(await ask()).toBe("ERR_FORBIDDEN"); // recorded again
  await federation.stop();
});
