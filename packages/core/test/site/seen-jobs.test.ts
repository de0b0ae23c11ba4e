import { describe, expect, test } from "vitest";
import { fromHex } from "../../src/bytes/index.ts";
import { openLastingObjects } from "../../src/envelope/index.ts";
import type { SiteStatus } from "../../src/site/index.ts";
import { memoryObjectRecords } from "../../src/testing/index.ts";
import { TestFederation } from "../coordinator/a-federation.ts";
import type { LinearTrainerHooks } from "../coordinator/linear-trainer.ts";
import { signedJobOf } from "../coordinator/signed-job.ts";

/** A site that may be started again over the same records; counts the jobs that it was asked about. */
async function aDisk(federation: TestFederation) {
  const records = memoryObjectRecords();
  const asked: string[] = [];
  const faults: string[] = [];
  const start = async (hooks: LinearTrainerHooks = {}) => {
    const { clock, crypto } = federation;
    const objects = await openLastingObjects({ records, clock, crypto });
    const decideJob = ({ jobId }: { readonly jobId: string }) => {
      asked.push(jobId);
      return Promise.resolve("accept" as const);
    };
    const site = federation.site("site-1", { hooks, modules: { objects, decideJob } });
    site.watch(({ fault }: SiteStatus) => {
      if (fault !== undefined && faults.at(-1) !== fault.code) faults.push(fault.code);
    });
    await clock.settle();
    return site;
  };
  return { records, asked, faults, start };
}

const ROUNDS = { rounds: 2, minimumSites: 1 };

/** The server sends the bytes that a submitter signed once more, with nothing that tells of an earlier time. */
async function replay(federation: TestFederation, jobId: string): Promise<void> {
  const { object, chain } = await signedJobOf(federation, jobId);
  await federation.sessions.get("site-1")?.sendObject(object, chain);
  await federation.clock.settle();
}

describe("a site that was started again", () => {
  test("refuses a job that has ended as REPLAYED, and takes a fresh one", async () => {
    const federation = await TestFederation.start();
    const disk = await aDisk(federation);
    const before = await disk.start();
    const jobId = await federation.submit(ROUNDS);
    await federation.untilEnd(jobId);
    await federation.clock.settle();
    await federation.clock.runUntil(before.stop());
    await disk.start();

    await replay(federation, jobId);

    expect(disk.faults).toContain("ERR_ENVELOPE_REPLAYED");
    expect(disk.asked).toEqual([jobId]);
    const fresh = await federation.submit(ROUNDS);
    expect(await federation.untilEnd(fresh)).toMatchObject({ state: "finished" });
    expect(disk.asked).toEqual([jobId, fresh]);
    await federation.stop();
  });

  test("without records would take it again: what the test above shows is due to them", async () => {
    const federation = await TestFederation.start();
    const before = federation.site("site-1");
    const jobId = await federation.submit(ROUNDS);
    await federation.untilEnd(jobId);
    await federation.clock.runUntil(before.stop());
    let asked = 0;
    federation.site("site-1", {
      modules: {
        decideJob: () => {
          asked += 1;
          return Promise.resolve("accept");
        },
      },
    });
    await federation.clock.settle();

    await replay(federation, jobId);

    expect(asked).toBe(1);
    await federation.stop();
  });

  test("goes on with a job that was under way: a crash does not lose it", async () => {
    const federation = await TestFederation.start();
    const disk = await aDisk(federation);
    federation.site("site-2");
    let stop: (() => void) | undefined;
    const training = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const before = await disk.start({
      beforeTrain: (_, { signal }) => {
        stop?.();
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    const jobId = await federation.submit({ rounds: 3, minimumSites: 2 });
    await federation.clock.runUntil(training);
    federation.connections.get("site-1")?.cut();
    await federation.clock.runUntil(before.stop());

    await disk.start();

    expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
    expect(disk.faults).not.toContain("ERR_ENVELOPE_REPLAYED");
    expect(disk.asked).toEqual([jobId, jobId]);
    await federation.stop();
  });

  test("refuses another job under the id of one that it has begun", async () => {
    const federation = await TestFederation.start();
    const disk = await aDisk(federation);
    const { clock, crypto } = federation;
    const jobId = await federation.submit(ROUNDS);
    const objects = await openLastingObjects({ records: disk.records, clock, crypto });
    const expiresAt = clock.now() + 1000;
    await objects.begin({ objectId: fromHex(jobId), digest: new Uint8Array(32), expiresAt });

    await disk.start();

    await clock.advance(1000);
    expect(disk.faults).toContain("ERR_ENVELOPE_REPLAYED");
    expect(disk.asked).toEqual([]);
    await federation.stop();
  });

  test("takes no job while it cannot record it", async () => {
    const federation = await TestFederation.start();
    const disk = await aDisk(federation);
    const { create } = disk.records;
    disk.records.create = () => Promise.reject(new Error("no space left on the device"));
    await disk.start();
    const jobId = await federation.submit(ROUNDS);
    await federation.clock.settle();
    expect(disk.asked).toEqual([]);
    expect((await federation.view(jobId)).state).toBe("dispatched");

    disk.records.create = create;
    federation.connections.get("site-1")?.cut();

    expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
    expect(disk.asked).toEqual([jobId]);
    await federation.stop();
  });
});
