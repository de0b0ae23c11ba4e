import { expect, test } from "vitest";
import { aFederation } from "./a-federation.ts";
import {
  CHUNKS,
  chunkedJob,
  hasSentFour,
  processFederation,
  startSite,
  until,
} from "./process-federation.ts";

/** Two server processes start one after another, on a machine that may be busy. */
const TIMEOUT_MS = 60_000;

test(
  "a job and a half-done upload go on in the next process after an orderly stop",
  async () => {
    const federation = await processFederation(1);
    const site = await startSite(federation, "site-1", { value: 0.5, limit: 4 });
    const user = await federation.connectUser();
    const { jobId } = await user.submit(chunkedJob(1), { submitToken: "t" });
    await until(user, jobId, ({ sites }) => sites.some(hasSentFour));

    expect(await federation.server.end("SIGTERM")).toBe(0);
    site.limit = Number.POSITIVE_INFINITY;
    await federation.startAgain();
    const job = (await federation.connectUser()).job(jobId);
    const view = await job.ended();
    const { model } = await job.result();

    expect(view).toMatchObject({ state: "finished" });
    expect(view?.history[0]?.contributions).toMatchObject([{ site: "site-1", outcome: "accepted" }]);
    expect(site.chunks()).toEqual([4, CHUNKS - 4]);
    expect(site.trainings()).toBe(1);
    expect(new Set(model.get("w")?.f32)).toEqual(new Set([0.5]));
  },
  TIMEOUT_MS,
);

test("a socket that drops in the middle of an upload costs no chunk twice and no training", async () => {
  const federation = await aFederation(1);
  const site = await startSite({ project: federation.project, server: federation.address }, "site-1", {
    value: 0.5,
    limit: 4,
  });
  const user = await federation.connectUser();
  const job = await user.submit(chunkedJob(1), { submitToken: "t" });
  await until(user, job.jobId, ({ sites }) => sites.some(hasSentFour));

  site.limit = Number.POSITIVE_INFINITY;
  site.drop();
  const view = await job.ended();
  const { model } = await job.result();

  expect(view?.history[0]?.contributions).toMatchObject([{ site: "site-1", outcome: "accepted" }]);
  expect(site.chunks()).toEqual([4, CHUNKS - 4]);
  expect(site.trainings()).toBe(1);
  expect(new Set(model.get("w")?.f32)).toEqual(new Set([0.5]));
});
