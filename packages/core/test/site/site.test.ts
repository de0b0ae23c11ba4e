import { describe, expect, test } from "vitest";
import { CheckpointStore, JobStore } from "../../src/job/index.ts";
import { sleep } from "../../src/platform/index.ts";
import type { SiteStatus } from "../../src/site/index.ts";
import { TestFederation } from "../coordinator/a-federation.ts";
import { linearData, linearTrainer } from "../coordinator/linear-trainer.ts";

describe("a site", () => {
  test("shows what leaves it: tensors, norms, digest and the server's receipt", async () => {
    const federation = await TestFederation.start();
    const site = federation.site("site-1");
    const jobId = await federation.submit({ rounds: 2, minimumSites: 1 });
    const view = await federation.untilEnd(jobId);

    const { outgoing, committed, job, bytesUp, bytesDown } = site.status;

    expect(outgoing).toHaveLength(2);
    expect(outgoing[0]).toMatchObject({
      jobId,
      round: 1,
      receipt: "committed",
      cause: "",
      exampleCount: 24,
      totalBytes: 20,
      tensors: [
        { name: "weight", dtype: "f32", shape: [4] },
        { name: "bias", dtype: "f32", shape: [1] },
      ],
    });
    expect(outgoing[0]?.norm).toBeCloseTo(view.history[0]?.contributions[0]?.norm ?? 0, 6);
    expect(committed).toBe(2);
    expect(job).toMatchObject({ jobId, name: "line", device: "cpu", round: 2, trainingExamples: 24 });
    expect(job?.evaluations.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(job?.losses.map(({ round }) => round)).toEqual([1, 2]);
    expect(bytesUp).toBeGreaterThan(1000);
    expect(bytesDown).toBeGreaterThan(1000);
    await federation.stop();
  });

  test("tells its status at each change, and stops telling who no longer watches", async () => {
    const federation = await TestFederation.start();
    const site = federation.site("site-1");
    const seen: SiteStatus["activity"][] = [];
    const unwatch = site.watch(({ activity }) => {
      if (seen.at(-1) !== activity) seen.push(activity);
    });
    const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });
    await federation.untilEnd(jobId);
    await federation.clock.settle();

    unwatch();
    const count = seen.length;
    await federation.stop();

    expect(seen.slice(0, 7)).toEqual([
      "waiting",
      "deciding",
      "preparing",
      "waiting",
      "evaluating",
      "training",
      "uploading",
    ]);
    expect(seen).toHaveLength(count);
    expect(site.status.activity).toBe("stopped");
  });

  test("connects again after a lost connection, with growing waits while the server is down", async () => {
    const federation = await TestFederation.start();
    const site = federation.site("site-1");
    await federation.clock.settle();
    expect(federation.coordinator.sites()).toHaveLength(1);

    federation.isUp = false;
    federation.connections.get("site-1")?.cut();
    await federation.clock.settle();
    expect(site.status).toMatchObject({ activity: "reconnecting", fault: { code: "ERR_CONNECTION_LOST" } });
    await federation.clock.advance(60_000);
    expect(federation.coordinator.sites()).toHaveLength(0);
    federation.isUp = true;
    await federation.clock.advance(31_000);

    expect(federation.coordinator.sites()).toHaveLength(1);
    expect(site.status).toMatchObject({ activity: "waiting", fault: undefined });
    await federation.stop();
  });

  test("asks a person once, also when the session is lost while the person thinks", async () => {
    const federation = await TestFederation.start();
    let asked = 0;
    let answer: (() => void) | undefined;
    federation.site("site-1", {
      modules: {
        decideJob: (job) => {
          asked += 1;
          expect(job).toMatchObject({
            definition: { name: "line" },
            submitter: { name: "lead@example.org" },
          });
          return new Promise((resolve) => {
            answer = () => resolve("accept");
          });
        },
      },
    });
    await federation.clock.settle();
    const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });
    await federation.clock.settle();
    federation.connections.get("site-1")?.cut();
    await federation.clock.advance(5000);

    answer?.();

    expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
    expect(asked).toBe(1);
    await federation.stop();
  });

  test("declines by itself a job beyond its limits, and asks nobody", async () => {
    const federation = await TestFederation.start();
    let asked = 0;
    federation.site("site-1", {
      site: { limits: { rounds: 2 } },
      modules: {
        decideJob: () => {
          asked += 1;
          return Promise.resolve("accept");
        },
      },
    });
    const jobId = await federation.submit({ rounds: 3, minimumSites: 1, waitForSitesMs: 1000 });

    const view = await federation.untilEnd(jobId);

    expect(view.sites[0]).toMatchObject({ phase: "refused", cause: "ERR_JOB_DECLINED" });
    expect(asked).toBe(0);
    await federation.stop();
  });

  test("declines when deciding fails", async () => {
    const federation = await TestFederation.start();
    federation.site("site-1", {
      modules: { decideJob: () => Promise.reject(new Error("policy file is broken")) },
    });
    const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 1000 });

    expect((await federation.untilEnd(jobId)).sites[0]).toMatchObject({ phase: "refused" });
    await federation.stop();
  });

  test("tells that it takes no part in the next session, when it decided between two", async () => {
    const federation = await TestFederation.start();
    let decline = (): void => undefined;
    federation.site("site-1", {
      modules: {
        decideJob: () =>
          new Promise((resolve) => {
            decline = () => resolve({ declined: "not this one" });
          }),
      },
    });
    const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 60_000 });
    await federation.clock.settle();
    federation.connections.get("site-1")?.cut();
    await federation.clock.settle();
    decline();

    expect((await federation.untilEnd(jobId)).sites[0]).toMatchObject({
      phase: "refused",
      detail: "not this one",
    });
    await federation.stop();
  });

  test("trains each round with the same seed again, whatever happened before", async () => {
    const seeds: number[] = [];
    for (const rounds of [1, 2]) {
      const federation = await TestFederation.start();
      federation.site("site-1", {
        hooks: {
          beforeTrain: ({ seed }) => {
            seeds.push(seed);
            return Promise.resolve();
          },
        },
      });
      await federation.untilEnd(await federation.submit({ rounds, minimumSites: 1 }));
      await federation.stop();
    }

    expect(seeds[0]).toBe(seeds[1]);
    expect(seeds[2]).not.toBe(seeds[1]);
  });

  test("gives up a task whose time is up", async () => {
    const federation = await TestFederation.start();
    let reason: unknown;
    federation.site("site-1", {
      hooks: {
        beforeTrain: (_request, { signal }) =>
          sleep(federation.clock, 3_600_000, signal).catch((error: unknown) => {
            reason = error;
            throw error;
          }),
      },
    });
    const jobId = await federation.submit({ minimumSites: 1, roundTimeoutMs: 5000, waitForSitesMs: 60_000 });

    await federation.clock.advance(5500);

    const view = await federation.view(jobId);
    expect(reason).toMatchObject({ code: "ERR_TASK_TIMEOUT" });
    expect(view.history[0]?.contributions).toMatchObject([
      { outcome: "late", cause: "ERR_CONTRIBUTION_LATE" },
    ]);
    await federation.stop();
  });

  test("does not send an update that is not finite", async () => {
    const federation = await TestFederation.start();
    const site = federation.site("site-1", {
      hooks: {
        alter: (outcome) => {
          outcome.delta.get("bias")?.f32.fill(Number.NaN);
          return outcome;
        },
      },
    });
    const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 0 });

    const view = await federation.untilEnd(jobId);

    expect(view.history[0]?.contributions).toMatchObject([{ outcome: "refused", cause: "ERR_TASK_FAILED" }]);
    expect(site.status.outgoing).toEqual([]);
    await federation.stop();
  });

  test("frees the trainer when its job ends", async () => {
    const federation = await TestFederation.start();
    let closed = 0;
    federation.site("site-1", {
      modules: {
        createTrainer: () => ({
          ...linearTrainer(linearData("site-1")),
          close: () => {
            closed += 1;
            return Promise.resolve();
          },
        }),
      },
    });
    await federation.untilEnd(await federation.submit({ rounds: 1, minimumSites: 1 }));
    await federation.clock.settle();

    expect(closed).toBe(1);
    await federation.stop();
  });

  test("refuses a graph other than the one that the submitter signed", async () => {
    const federation = await TestFederation.start();
    const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 10_000 });
    // The server gives out another graph than the one that was handed in.
    const { crypto, blobs, metadata } = federation;
    const checkpoints = new CheckpointStore(new Uint8Array(32).fill(9), { crypto, blobs, metadata });
    const jobs = new JobStore(metadata);
    const form = { project: "test", chunkBytes: 65_536 };
    const graph = await checkpoints.putPublished(new Uint8Array(1000).fill(6), form);
    await jobs.update(await jobs.get(jobId), { graph });
    await federation.clock.runUntil(federation.restart());
    let trainers = 0;
    federation.site("site-1", {
      modules: {
        createTrainer: () => {
          trainers += 1;
          return linearTrainer(linearData("site-1"));
        },
      },
    });

    const view = await federation.untilEnd(jobId);

    expect(view).toMatchObject({ state: "failed", reason: "ERR_JOB_TOO_FEW_SITES" });
    expect(view.sites[0]).toMatchObject({ phase: "refused", cause: "ERR_TASK_FAILED" });
    expect(trainers).toBe(0);
    await federation.stop();
  });
});
