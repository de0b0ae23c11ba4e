import { expect, test } from "vitest";
import { StorageError } from "../../src/errors/index.ts";
import type { AuditEvent, MetadataStore } from "../../src/platform/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { CHUNKS, type ResumingSite, resumingSite, submitChunked } from "./resuming-site.ts";

const ONE_ROUND = { rounds: 1, minimumSites: 1 } as const;

/** The only weight of the last version, which every update moved alike. */
async function weightOf(federation: TestFederation, jobId: string): Promise<number> {
  const user = await federation.user();
  const { model } = await federation.clock.runUntil(user.job(jobId).result());
  const [first = Number.NaN, ...others] = model.get("w")?.f32 ?? [];
  expect(others.every((value) => value === first)).toBe(true);
  return first;
}

async function results(federation: TestFederation): Promise<readonly AuditEvent[]> {
  const records = await federation.records();
  return records
    .map(({ event }) => event)
    .filter(({ action, object }) => action === "result" && object !== "");
}

/** Blobs of half-done uploads that storage knows of. */
async function storedParts(federation: TestFederation): Promise<number> {
  const entries = await federation.metadata.list("resume/");
  return entries
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as { parts: unknown[] })
    .reduce((sum, { parts }) => sum + parts.length, 0);
}

/** Sealed blobs that hold `count` chunks. */
async function blobsOf(count: number, metadata: MetadataStore): Promise<number> {
  const seals = await metadata.list("seal/");
  return seals
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as { size: number })
    .filter(({ size }) => size === count * 65_536).length;
}

/** A job under way whose site has sent `sent` chunks when its line breaks. */
async function interrupted(
  sent: number,
  federation: TestFederation,
): Promise<{ readonly jobId: string; readonly site: ResumingSite }> {
  const site = resumingSite(federation, "site-1", 0.5);
  site.line.limit = sent;
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();
  expect(site.chunks).toEqual([sent]);
  return { jobId, site };
}

/** Two sites and one slot: the first is gone after four chunks, the second needs its slot then. */
async function spilled(
  federation: TestFederation,
  minimumSites: number,
): Promise<{ readonly jobId: string; readonly site: ResumingSite; readonly other: ResumingSite }> {
  const [site, other] = [resumingSite(federation, "site-1", 0.5), resumingSite(federation, "site-2", 0.25)];
  let goOn = (): void => undefined;
  other.line.evaluation = new Promise((resolve) => {
    goOn = resolve;
  });
  site.line.limit = 4;
  await federation.clock.settle(); // both are there when the job comes
  const jobId = await submitChunked(federation, { rounds: 1, minimumSites });
  await federation.clock.settle();
  expect([site.chunks, other.evaluations()]).toEqual([[4], 1]);
  site.line.isReachable = false;
  await site.drop();
  goOn();
  await federation.clock.settle();
  return { jobId, site, other };
}

test.each([0, 1, 3, 5])("a drop after %i of 6 chunks sends exactly the others again", async (sent) => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(sent, federation);

  await site.drop();
  const view = await federation.untilEnd(jobId);

  expect(site.chunks).toEqual([sent, CHUNKS - sent]);
  expect(view.state).toBe("finished");
  expect(view.history[0]?.contributions).toMatchObject([{ site: "site-1", outcome: "accepted" }]);
  expect(site.trainings()).toBe(1);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  expect((await results(federation)).filter(({ outcome }) => outcome === "accepted")).toHaveLength(2);
  await federation.stop();
});

test("several drops in a row send each chunk once", async () => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(2, federation);

  await site.drop();
  site.line.limit = 1;
  await federation.clock.advance(1000);
  await site.drop();
  site.line.limit = 0;
  await federation.clock.advance(2000);
  await site.drop();
  await federation.untilEnd(jobId);

  expect(site.chunks).toEqual([2, 1, 0, 3]);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("a lost RECEIVED is told again for the message sent again, and no chunk is", async () => {
  const federation = await TestFederation.start();
  const [site, other] = [resumingSite(federation, "site-1", 0.5), resumingSite(federation, "site-2", 0.25)];
  other.line.limit = 0;
  site.line.deafAfter = CHUNKS;
  const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 2 });
  await federation.clock.settle();
  expect(site.site.status.outgoing).toMatchObject([{ receipt: "none" }]);

  await site.drop();
  await federation.clock.advance(1000);

  expect(site.site.status.outgoing).toMatchObject([{ receipt: "received" }]);
  await other.drop();
  await federation.untilEnd(jobId);
  expect([site.chunks, other.chunks]).toEqual([
    [CHUNKS, 0],
    [0, CHUNKS],
  ]);
  expect(await weightOf(federation, jobId)).toBe(0.375);
  await federation.stop();
});

test("a drop after COMMITTED, whose receipt was lost, sends none: the receipt is given again", async () => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  site.line.deafAfter = CHUNKS;
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();
  expect((await federation.records()).filter(({ event }) => event.action === "round")).toHaveLength(1);
  expect(site.site.status.outgoing).toMatchObject([{ receipt: "none" }]);

  await site.drop();
  await federation.untilEnd(jobId);
  await federation.clock.settle();

  expect(site.chunks).toEqual([CHUNKS, 0]);
  expect(site.site.status.outgoing).toMatchObject([{ receipt: "committed" }]);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("a half-done upload whose slot others need is spilled once and goes on from there", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { jobId, site, other } = await spilled(federation, 2);

  expect(other.chunks).toEqual([CHUNKS]);
  expect(await storedParts(federation)).toBe(1);
  expect(await blobsOf(4, federation.metadata)).toBe(1);
  site.line.isReachable = true;
  await federation.untilEnd(jobId);
  expect(site.chunks).toEqual([4, 2]);
  expect(await storedParts(federation)).toBe(0);
  expect(await weightOf(federation, jobId)).toBe(0.375);
  await federation.stop();
});

test("a spilled upload that no record can name leaves no blob behind", async () => {
  const memory = memoryMetadata();
  const metadata: MetadataStore = {
    ...memory,
    put: async (key, value, expectedRevision) => {
      const isPart = key.includes(":site:") && new TextDecoder().decode(value).includes('"blob"');
      if (isPart) throw new StorageError("ERR_STORAGE_CONFLICT", "a newer session writes at the same time");
      return await memory.put(key, value, expectedRevision);
    },
  };
  const federation = await TestFederation.start({ metadata, coordinator: { uploadSlots: 1 } });
  const { jobId, site } = await spilled(federation, 2);

  expect(await storedParts(federation)).toBe(0);
  expect(await blobsOf(4, metadata)).toBe(0);
  site.line.isReachable = true;
  await federation.untilEnd(jobId);
  expect(site.chunks).toEqual([4, CHUNKS]);
  expect(await weightOf(federation, jobId)).toBe(0.375);
  await federation.stop();
});

test("a half-done upload whose slot nobody needs is kept in memory: nothing is written", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { jobId, site } = await interrupted(4, federation);
  const blobs = (await federation.metadata.list("seal/")).length;

  site.line.isReachable = false;
  await site.drop();
  await federation.clock.advance(5000);

  expect((await federation.metadata.list("seal/")).length).toBe(blobs);
  site.line.isReachable = true;
  await federation.untilEnd(jobId);
  expect(site.chunks).toEqual([4, 2]);
  await federation.stop();
});

test("after an orderly stop the next process goes on with the upload", async () => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(4, federation);

  await federation.clock.runUntil(federation.coordinator.stop());
  expect(await storedParts(federation)).toBe(1);
  site.line.limit = Number.POSITIVE_INFINITY;
  await federation.clock.runUntil(federation.restart());
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(site.chunks.filter((count) => count > 0)).toEqual([4, 2]);
  expect(site.trainings()).toBe(1);
  expect(await storedParts(federation)).toBe(0);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("after a kill the upload is sent anew, trained once", async () => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(4, federation);

  site.line.limit = Number.POSITIVE_INFINITY;
  await federation.clock.runUntil(federation.crash());
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(site.chunks.filter((count) => count > 0)).toEqual([4, CHUNKS]);
  expect(site.trainings()).toBe(1);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("a site whose process began anew begins afresh: its kept chunks are forgotten, its new update counts", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { jobId, site } = await interrupted(4, federation);
  site.line.isReachable = false;
  await site.drop();

  const anew = resumingSite(federation, "site-1", 0.25);
  const view = await federation.untilEnd(jobId);

  expect(view.history[0]?.contributions).toMatchObject([{ site: "site-1", outcome: "accepted" }]);
  expect([site.chunks, anew.chunks]).toEqual([[4], [CHUNKS]]);
  expect(await storedParts(federation)).toBe(0);
  expect(await weightOf(federation, jobId)).toBe(0.25);
  await federation.stop();
});

test("a newer session goes on with the upload of an older one that does not know of its end", async () => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(3, federation);

  site.line.limit = Number.POSITIVE_INFINITY;
  await site.forget();
  await federation.untilEnd(jobId);

  expect(site.chunks).toEqual([3, CHUNKS - 3]);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("an upload that stalls after some chunks loses its session, not its chunks", async () => {
  const federation = await TestFederation.start();
  const { jobId, site } = await interrupted(2, federation);

  await federation.clock.advance(14_999);
  expect(site.chunks).toEqual([2]);
  site.line.limit = Number.POSITIVE_INFINITY;
  await federation.clock.advance(1);
  const view = await federation.untilEnd(jobId);

  expect(view.history[0]?.contributions).toMatchObject([{ site: "site-1", outcome: "accepted" }]);
  expect(site.chunks).toEqual([2, CHUNKS - 2]);
  expect(await weightOf(federation, jobId)).toBe(0.5);
  await federation.stop();
});

test("a drop in the middle of a task costs neither its model nor what was computed", async () => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  let goOn = (): void => undefined;
  site.line.evaluation = new Promise((resolve) => {
    goOn = resolve;
  });
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();
  expect(site.evaluations()).toBe(1);
  const sent = (await federation.view(jobId)).sites[0]?.bytesDown;

  site.line.isReachable = false;
  await site.drop();
  goOn(); // evaluates, trains and has its update while nobody listens
  await federation.clock.settle();
  expect([site.trainings(), site.chunks]).toEqual([1, [0]]);
  site.line.isReachable = true;
  await federation.clock.advance(5000);

  expect(site.chunks).toEqual([0, CHUNKS]);
  await federation.untilEnd(jobId);
  expect([site.trainings(), site.evaluations()]).toEqual([1, 2]);
  // Of the models, each was sent once: the first, and the one that was made.
  const received = (await federation.view(jobId)).sites[0]?.bytesDown ?? 0;
  expect(received - (sent ?? 0)).toBeLessThan(CHUNKS * 65_536 * 1.01);
  await federation.stop();
});

test("an evaluation that was measured is sent again, not measured again, and counts once", async () => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 1 });
  let goOn = (): void => undefined;
  site.line.evaluation = Promise.resolve();
  site.line.limit = CHUNKS - 1;
  await federation.clock.settle();
  site.line.evaluation = new Promise((resolve) => {
    goOn = resolve;
  });
  await site.drop();
  await federation.clock.advance(2000);
  expect(site.evaluations()).toBe(2); // the last task has begun

  site.line.isReachable = false;
  await site.drop();
  goOn();
  await federation.clock.settle();
  site.line.isReachable = true;
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(site.evaluations()).toBe(2);
  await federation.stop();
});

test("what is kept of a task is dropped when the task is over", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { jobId } = await spilled(federation, 1);
  expect(await storedParts(federation)).toBe(1);

  const view = await federation.untilEnd(jobId);

  expect(view.history[0]?.contributions.map(({ site: name, cause }) => [name, cause])).toEqual([
    ["site-2", ""],
    ["site-1", "ERR_SITE_DISCONNECTED"],
  ]);
  expect(await storedParts(federation)).toBe(0);
  await federation.stop();
});
