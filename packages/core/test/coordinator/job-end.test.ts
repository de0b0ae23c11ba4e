import { expect, test } from "vitest";
import { JobStore } from "../../src/job/index.ts";
import { hasJobEnded } from "../../src/message/index.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";

const SMALL = { rounds: 1, minimumSites: 1 };

/** Storage that writes the end of a job when the test says so. */
function slowToEnd(): { readonly metadata: MetadataStore; readonly write: () => void } {
  const inner = memoryMetadata();
  let write = (): void => undefined;
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  const metadata: MetadataStore = {
    get: (key) => inner.get(key),
    list: (prefix) => inner.list(prefix),
    delete: (key, revision) => inner.delete(key, revision),
    create: (key, value) => inner.create(key, value),
    async put(key, value, revision) {
      if (key.startsWith("job/") && new TextDecoder().decode(value).includes("endedAtMs")) await written;
      return await inner.put(key, value, revision);
    },
  };
  return { metadata, write: () => write() };
}

test("the end of a job is told when it is durable, and the job may be deleted from then on", async () => {
  const { metadata, write } = slowToEnd();
  const federation = await TestFederation.start({ metadata });
  federation.site("site-1");
  const user = await federation.user();
  const job = await federation.clock.runUntil(user.submit(aBundle(SMALL)));
  let isTold = false;
  const deleted = job.ended().then(async () => {
    isTold = true;
    await job.delete();
  });
  await federation.clock.advance(5000);
  expect(isTold).toBe(false);

  write();
  await federation.clock.runUntil(deleted);

  expect((await new JobStore(metadata).find(job.jobId))?.deletion).toMatchObject({ isDone: true });
  expect(await metadata.list(`view/${job.jobId}/`)).toEqual([]);
  await federation.stop();
});

test("a job that waits and is ended by two at once has ended for both, and can be watched until then", async () => {
  const { metadata, write } = slowToEnd();
  const federation = await TestFederation.start({ metadata });
  const jobId = await federation.submit(SMALL);
  const user = await federation.user();

  const aborted = Promise.all([federation.coordinator.abort(jobId), user.job(jobId).abort()]);
  aborted.catch(() => undefined); // awaited below
  await federation.clock.advance(100);
  expect((await federation.view(jobId)).state).toBe("waiting");
  write();
  await federation.clock.runUntil(aborted);

  expect((await federation.view(jobId)).state).toBe("aborted");
  await federation.stop();
});

test("a job that ended when its process died, or that does not open, is told to have ended", async () => {
  const federation = await TestFederation.start();
  const jobId = await federation.submit(SMALL);
  const jobs = new JobStore(federation.metadata);
  await jobs.update(await jobs.get(jobId), { object: "00".repeat(32) });

  await federation.restart();
  const user = await federation.user();

  const view = await federation.clock.runUntil(user.job(jobId).ended());
  expect(view).toMatchObject({ state: "failed", end: { outcome: "failed-to-run", by: "server" } });
  await federation.stop();
});

test("of two jobs that are handed in at once under one token the one that does not count has ended, with its time", async () => {
  const federation = await TestFederation.start();
  const user = await federation.user();
  const handIn = () => user.submit(aBundle(SMALL), { submitToken: "once" });

  const [one, other] = await federation.clock.runUntil(Promise.all([handIn(), handIn()]));

  expect(one.jobId).toBe(other.jobId);
  const records = await new JobStore(federation.metadata).list();
  expect(records).toHaveLength(2);
  expect(records.find(({ state }) => hasJobEnded(state))).toMatchObject({
    state: "aborted",
    end: { outcome: "aborted", by: "server", detail: "another job has its submit token" },
    endedAtMs: expect.any(Number) as number,
  });
  await federation.stop();
});
