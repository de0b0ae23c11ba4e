import type { JobView } from "@photinus/core/message";
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

test(
  "a job goes on in the next process after a kill: what was not committed is sent anew, trained once",
  async () => {
    const federation = await processFederation(2);
    const site = await startSite(federation, "site-1", { value: 0.5, limit: 4 });
    const other = await startSite(federation, "site-2", { value: 0.25, limit: Number.POSITIVE_INFINITY });
    const user = await federation.connectUser();
    const { jobId } = await user.submit(chunkedJob(2), { submitToken: "t" });
    const isThere = ({ sites, history }: JobView): boolean =>
      history[0]?.contributions.length === 1 && sites.some(hasSentFour);
    await until(user, jobId, isThere);
    await expect.poll(() => other.site.status.outgoing[0]?.receipt).toBe("received");

    expect(await federation.server.end("SIGKILL")).toBe(null);
    site.limit = Number.POSITIVE_INFINITY;
    await federation.startAgain();
    const job = (await federation.connectUser()).job(jobId);
    const view = await job.ended();
    const { model } = await job.result();

    expect(view).toMatchObject({ state: "finished" });
    const outcomes = view?.history[0]?.contributions.map(({ site: name, outcome }) => [name, outcome]);
    expect(outcomes?.sort()).toEqual([
      ["site-1", "accepted"],
      ["site-2", "accepted"],
    ]);
    expect([site.chunks(), other.chunks()]).toEqual([
      [4, CHUNKS],
      [CHUNKS, CHUNKS],
    ]);
    expect([site.trainings(), other.trainings()]).toEqual([1, 1]);
    expect(new Set(model.get("w")?.f32)).toEqual(new Set([0.375]));
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
