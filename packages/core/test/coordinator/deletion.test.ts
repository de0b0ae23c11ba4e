import { describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors/index.ts";
import { JobStore } from "../../src/job/index.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

const SMALL = { rounds: 1, minimumSites: 1 };
const DAY_MS = 86_400_000;

/** A federation with a finished job. */
async function withFinished(definition: Parameters<TestFederation["submit"]>[1] = {}, rounds = 1) {
  const federation = await TestFederation.start();
  const site = federation.site("site-1");
  const jobId = await federation.submit({ ...SMALL, rounds }, definition);
  await federation.untilEnd(jobId);
  return { federation, jobId, site };
}

/** Keys of what is stored of a job beside its record, and all sealed blobs. */
async function leftOf({ metadata }: TestFederation, jobId: string): Promise<readonly string[]> {
  const entries = await metadata.list("");
  return entries
    .map(({ key }) => key)
    .filter(
      (key) => key !== `job/${jobId}` && /^(view|journal|model|commit-order|checkpoint|seal)\//.test(key),
    );
}

describe("a job that has ended", () => {
  test("is deleted by who may, with everything that was kept of it", async () => {
    const { federation, jobId } = await withFinished({ retention: { models: "every-round" } }, 3);
    expect((await leftOf(federation, jobId)).length).toBeGreaterThan(5);
    const user = await federation.user();

    await federation.clock.runUntil(user.job(jobId).delete({ reason: "no longer needed" }));

    expect(await leftOf(federation, jobId)).toEqual([]);
    expect(await federation.coordinator.jobs()).toEqual([]);
    await expect(federation.coordinator.job(jobId)).rejects.toMatchObject({ code: "ERR_JOB_DELETED" });
    const told = (await federation.records()).find(({ event }) => event.reason === "deleted");
    expect(told?.event).toMatchObject({
      object: jobId,
      details: { by: "lead@example.org", why: "no longer needed" },
    });
    await federation.stop();
  });

  test("is deleted with all its models, also when it was ended between two rounds", async () => {
    const federation = await TestFederation.start();
    const [one, other] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    const jobId = await federation.submit({ rounds: 3, minimumSites: 2 });
    await federation.clock.advance(1);
    await other.contribute(updateOf(1));
    await one.contribute(updateOf(1));
    await other.contribute(updateOf(1));
    federation.connections.get("site-2")?.cut();
    await one.contribute(updateOf(1));
    expect((await new JobStore(federation.metadata).get(jobId)).last.version).toBe(2);

    await federation.coordinator.abort(jobId);
    const user = await federation.user();
    await federation.clock.runUntil(user.job(jobId).delete());

    expect(await leftOf(federation, jobId)).toEqual([]);
    await federation.stop();
  });

  test("is not deleted by others, nor while it runs", async () => {
    const federation = await TestFederation.start();
    await RawSite.connect(federation, "site-1");
    const jobId = await federation.submit(SMALL);
    const [lead, member] = [await federation.user(), await federation.user("member@example.org")];

    await expect(federation.clock.runUntil(member.job(jobId).delete())).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
    await expect(federation.clock.runUntil(lead.job(jobId).delete())).rejects.toMatchObject({
      code: "ERR_JOB_NOT_ENDED",
    });
    await federation.stop();
  });

  test("goes when its time is up, and not before, also over a restart", async () => {
    const { federation, jobId, site } = await withFinished({ retention: { days: 1 } });
    await federation.clock.runUntil(site.stop()); // a day of heartbeats shows nothing here
    await federation.clock.advance(DAY_MS - 3_600_000);
    expect(await federation.coordinator.jobs()).toHaveLength(1);

    await federation.restart();
    await federation.clock.advance(2 * 3_600_000);

    expect((await new JobStore(federation.metadata).find(jobId))?.deletion).toMatchObject({
      by: "server",
      reason: "kept for 1 days, as the job says",
      isDone: true,
    });
    await federation.stop();
  });

  test("is removed by the next process when a crash came between its deletion and that", async () => {
    const { federation, jobId } = await withFinished();
    const jobs = new JobStore(federation.metadata);
    const deletion = { by: "lead@example.org", reason: "", atMs: 1, isDone: false };
    await jobs.update(await jobs.get(jobId), { deletion });

    await federation.restart();

    expect(await leftOf(federation, jobId)).toEqual([]);
    expect((await jobs.find(jobId))?.deletion?.isDone).toBe(true);
    await federation.stop();
  });

  test("goes when its time is up though another one cannot be removed", async () => {
    const { federation, jobId: stuck } = await withFinished();
    const jobs = new JobStore(federation.metadata);
    const deletion = { by: "lead@example.org", reason: "", atMs: 1, isDone: false };
    await jobs.update(await jobs.get(stuck), { deletion });
    await federation.metadata.put(`journal/${stuck}/000000000`, new Uint8Array([1]));
    const jobId = await federation.submit(SMALL);
    await federation.untilEnd(jobId);
    await jobs.update(await jobs.get(jobId), { deletion });

    await federation.restart();

    expect((await jobs.find(stuck))?.deletion?.isDone).toBe(false);
    expect((await jobs.find(jobId))?.deletion?.isDone).toBe(true);
    await federation.stop();
  });

  test("keeps the models that it says it keeps, and the best by its metric", async () => {
    const every = await withFinished({ retention: { models: "every-round" }, bestBy: "loss" }, 3);
    const user = await every.federation.user();
    const versions = [];
    for (const wanted of [0, 1, 2, 3] as const) {
      versions.push((await every.federation.clock.runUntil(user.job(every.jobId).model(wanted))).version);
    }
    const best = await every.federation.clock.runUntil(user.job(every.jobId).model("best"));
    const { history } = await every.federation.view(every.jobId);
    const losses = history.map(({ evaluation }) => evaluation?.loss ?? Number.POSITIVE_INFINITY);

    expect(versions).toEqual([0, 1, 2, 3]);
    expect(best.version).toBe(1 + losses.indexOf(Math.min(...losses)));
    await every.federation.stop();
  });

  test("keeps no other version where it says nothing", async () => {
    const { federation, jobId } = await withFinished({}, 3);
    const user = await federation.user();
    const { best } = await new JobStore(federation.metadata).get(jobId);
    const gone = [1, 2].find((version) => version !== best?.version) ?? 1;

    await expect(federation.clock.runUntil(user.job(jobId).model(gone))).rejects.toMatchObject({
      code: "ERR_JOB_INVALID",
    });
    await federation.stop();
  });

  test("is not handed in again under its token", async () => {
    const { federation } = await withFinished();
    const user = await federation.user();
    const handIn = () => federation.clock.runUntil(user.submit(aBundle(SMALL), { submitToken: "once" }));
    const job = await handIn();
    expect((await handIn()).jobId).toBe(job.jobId);
    await federation.untilEnd(job.jobId);
    await federation.clock.runUntil(job.delete());

    await expect(handIn()).rejects.toMatchObject({ code: "ERR_JOB_DELETED" });
    await federation.stop();
  });
});

describe("a result of a job that does not run is refused with one cause, which is recorded", () => {
  async function answerTo(
    what: "deleted" | "ended" | "unknown",
  ): Promise<{ code: string | undefined; recorded: unknown }> {
    const federation = await TestFederation.start();
    const site = await RawSite.connect(federation, "site-1");
    const jobId = await federation.submit(SMALL);
    await federation.clock.advance(1);
    await federation.coordinator.abort(jobId);
    const user = await federation.user();
    if (what === "deleted") await federation.clock.runUntil(user.job(jobId).delete());

    await site.contribute(updateOf(1), what === "unknown" ? { jobId: "0".repeat(32) } : {});

    const records = (await federation.records()).filter(({ event }) => event.action === "result");
    const recorded = records.at(-1)?.event;
    const code = site.answers.at(-1)?.code;
    await federation.stop();
    return { code, recorded };
  }

  test.each([
    ["deleted", "ERR_JOB_DELETED"],
    ["ended", "ERR_CONTRIBUTION_LATE"],
    ["unknown", "ERR_JOB_UNKNOWN"],
  ] as const)("of a job that is %s: %s", async (what, code) => {
    expect(await answerTo(what)).toMatchObject({
      code,
      recorded: { object: "site-1", outcome: "refused", reason: code },
    });
  });

  test("and a site that floods with them is held back", async () => {
    const federation = await TestFederation.start();
    const site = await RawSite.connect(federation, "site-1");
    const jobId = await federation.submit(SMALL);
    await federation.clock.advance(1);
    await federation.coordinator.abort(jobId);

    for (let count = 0; count < 80; count++) await site.announce(updateOf(1));

    const records = (await federation.records()).filter(({ event }) => event.action === "result");
    expect(records.length).toBeLessThanOrEqual(64);
    await federation.stop();
  });
});

describe("a full disk", () => {
  /** Refuses what is written while it is full. */
  function aDisk(): { metadata: MetadataStore; disk: { isFull: boolean } } {
    const disk = { isFull: false };
    const inner = memoryMetadata();
    const refuse = () =>
      Promise.reject(new StorageError("ERR_STORAGE_UNAVAILABLE", "no space left on device"));
    const metadata: MetadataStore = {
      get: (key) => inner.get(key),
      list: (prefix, page) => inner.list(prefix, page),
      delete: (key, revision) => inner.delete(key, revision),
      create: (key, value) => (disk.isFull ? refuse() : inner.create(key, value)),
      put: (key, value, revision) => (disk.isFull ? refuse() : inner.put(key, value, revision)),
    };
    return { metadata, disk };
  }

  test("refuses a submission with its cause and keeps nothing of it", async () => {
    const { metadata, disk } = aDisk();
    const federation = await TestFederation.start({ metadata });
    disk.isFull = true;

    await expect(federation.submit(SMALL)).rejects.toThrow("ERR_STORAGE_UNAVAILABLE");
    disk.isFull = false;

    expect(await federation.coordinator.jobs()).toEqual([]);
    await federation.stop();
  });

  test("in the middle of a job loses nothing: the next process goes on", async () => {
    const { metadata, disk } = aDisk();
    const federation = await TestFederation.start({ metadata });
    const site = await RawSite.connect(federation, "site-1");
    const jobId = await federation.submit(SMALL);
    await federation.clock.advance(1);
    disk.isFull = true;
    await site.contribute(updateOf(1));
    await federation.clock.advance(1000);
    disk.isFull = false;

    await federation.restart();
    federation.site("site-2");

    expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
    await federation.stop();
  });
});
