import { expect, test } from "vitest";
import type { DeploymentDefinition } from "../../src/job/index.ts";
import type { ResourceSettings, SiteModules } from "../../src/site/index.ts";
import { TestFederation } from "./a-federation.ts";
import { linearData, linearTrainer } from "./linear-trainer.ts";
import { RawSite } from "./raw-site.ts";

const SMALL = { rounds: 1, minimumSites: 1, waitForSitesMs: 600_000 };
const ONE_LICENCE: DeploymentDefinition = { resources: { "*": { units: { licence: 1 } } } };
const NONE: ResourceSettings = { format_version: "1.0" };
const LICENCES: ResourceSettings = { format_version: "1.0", units: { licence: ["a"] } };

/** A site with these resources, which tells what each trainer was given. */
function withResources(settings: () => ResourceSettings, granted: unknown[] = []) {
  const modules = (name: string): Partial<SiteModules> => ({
    resources: settings,
    createTrainer: (given) => {
      granted.push(given);
      return linearTrainer(linearData(name));
    },
  });
  return (federation: TestFederation, name: string) => federation.site(name, { modules: modules(name) });
}

test("a job is given to the sites that have what it needs, which its trainer is told", async () => {
  const federation = await TestFederation.start();
  const granted: unknown[] = [];
  withResources(() => LICENCES, granted)(federation, "site-1");
  withResources(() => NONE)(federation, "site-2");
  await federation.clock.settle();

  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(granted).toEqual([{ gpus: [], units: { licence: ["a"] } }]);
  expect(view.history[0]?.contributions.map(({ site }) => site)).toEqual(["site-1"]);
  await federation.stop();
});

test("a job whose sites lack what it needs tries again after 10 s, and begins when it is there", async () => {
  const federation = await TestFederation.start();
  let settings = NONE;
  withResources(() => settings)(federation, "site-1");
  await federation.clock.settle();
  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.clock.advance(9000);
  expect((await federation.view(jobId)).state).toBe("waiting");

  settings = LICENCES;

  expect(await federation.untilEnd(jobId, 2000)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a job whose sites lack what it needs ten times gives up, and says who lacked what", async () => {
  const federation = await TestFederation.start();
  withResources(() => NONE)(federation, "site-1");
  await federation.clock.settle();
  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });

  const { end } = await federation.untilEnd(jobId, 3_600_000);

  expect(end).toMatchObject({ outcome: "cannot-schedule", code: "ERR_JOB_TOO_FEW_SITES" });
  expect(end?.detail).toContain("site-1: 0 of 1 licence are free");
  await federation.stop();
});

test("what one job has returns with its end, and the next one begins", async () => {
  const federation = await TestFederation.start();
  const granted: unknown[] = [];
  withResources(() => LICENCES, granted)(federation, "site-1");
  await federation.clock.settle();

  const first = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  const second = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.untilEnd(first);

  expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
  expect(granted).toHaveLength(2);
  await federation.stop();
});

test("a site that does not answer keeps no job from the others", async () => {
  const federation = await TestFederation.start();
  withResources(() => LICENCES)(federation, "site-1");
  await RawSite.connect(federation, "site-2"); // knows nothing of resources
  await federation.clock.settle();

  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });

  expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a restart of the server leaks nothing: the job goes on with what it has, and it returns", async () => {
  const federation = await TestFederation.start();
  let isHeld = true;
  const hooks = {
    beforeTrain: () => (isHeld ? new Promise<void>(() => undefined) : Promise.resolve()),
  };
  federation.site("site-1", { modules: { resources: () => LICENCES }, hooks });
  await federation.clock.settle();
  const first = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.clock.advance(1);
  isHeld = false;

  await federation.crash();
  await federation.clock.advance(60_000);
  await federation.coordinator.abort(first);
  const second = await federation.submit(SMALL, { deployment: ONE_LICENCE });

  expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a job waits at a site that works for others, nobody is asked, and it begins when there is a place", async () => {
  const federation = await TestFederation.start();
  const asked: string[] = [];
  federation.site("site-1", {
    site: { limits: { concurrentJobs: 1 } },
    modules: {
      decideJob: ({ jobId }, signal) => {
        asked.push(jobId);
        if (asked.length > 1) return Promise.resolve("accept");
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("over"))));
      },
    },
  });
  await federation.clock.settle();
  const first = await federation.submit(SMALL);
  await federation.clock.advance(1);
  const second = await federation.submit(SMALL);
  await federation.clock.advance(1);
  expect((await federation.view(second)).sites).toMatchObject([
    { phase: "refused", cause: "ERR_SITE_BUSY", detail: "at most 1 jobs at once" },
  ]);
  expect(asked).toEqual([first]);

  await federation.coordinator.abort(first);

  expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
  expect(asked).toEqual([first, second]);
  await federation.stop();
});
