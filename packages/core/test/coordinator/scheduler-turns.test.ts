import { expect, test } from "vitest";
import { StorageError } from "../../src/errors/index.ts";
import type { DeploymentDefinition } from "../../src/job/index.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import type { Site } from "../../src/site/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite } from "./raw-site.ts";

const SMALL = { rounds: 1, minimumSites: 1, waitForSitesMs: 600_000 };
const ONE_LICENCE: DeploymentDefinition = { resources: { "*": { units: { licence: 1 } } } };

/** A site that has one licence. */
function withLicence(federation: TestFederation, name: string): Site {
  const resources = () => ({ format_version: "1.0", units: { licence: ["a"] } }) as const;
  return federation.site(name, { modules: { resources } });
}

async function stateOf(federation: TestFederation, jobId: string): Promise<string> {
  return (await federation.coordinator.job(jobId)).state;
}

test("sites that were kept free for a job go to the next one when that job is ended", async () => {
  const federation = await TestFederation.start({ coordinator: { jobsPerSite: 1 } });
  await RawSite.connect(federation, "site-1");
  await RawSite.connect(federation, "site-2");
  await federation.submit(SMALL, { deployment: { sites: ["site-1"] } });
  const big = await federation.submit({ ...SMALL, minimumSites: 2 });
  await federation.clock.advance(30_000);
  const small = await federation.submit(SMALL, { deployment: { sites: ["site-2"] } });
  await federation.clock.advance(1);
  expect(await stateOf(federation, small)).toBe("waiting");

  await federation.coordinator.abort(big);
  await federation.clock.advance(1);

  expect(await stateOf(federation, small)).toBe("running");
  await federation.stop();
});

test("a job that is ended while its sites are asked keeps no other one waiting", async () => {
  const federation = await TestFederation.start();
  await RawSite.connect(federation, "site-1"); // knows nothing of resources
  withLicence(federation, "site-2");
  await federation.clock.settle();
  const asked = await federation.submit(SMALL, { deployment: { ...ONE_LICENCE, sites: ["site-1"] } });
  const next = await federation.submit(SMALL, { deployment: { ...ONE_LICENCE, sites: ["site-2"] } });

  await federation.coordinator.abort(asked);

  expect(await federation.untilEnd(next, 10_000)).toMatchObject({ state: "finished" });
  await federation.stop();
});

test("a site that has what a job needs and leaves before the others have answered does not count", async () => {
  const federation = await TestFederation.start();
  const site = withLicence(federation, "site-1");
  await RawSite.connect(federation, "site-2"); // knows nothing of resources
  await federation.clock.settle();
  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.clock.advance(1);

  await federation.clock.runUntil(site.stop());
  await federation.clock.advance(5000);

  expect(await stateOf(federation, jobId)).toBe("waiting");
  await federation.stop();
});

test("a server that stops waits for no answer about resources", async () => {
  const federation = await TestFederation.start();
  await RawSite.connect(federation, "site-1"); // knows nothing of resources
  await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.clock.advance(1);
  const before = federation.clock.now();

  await federation.stop();

  expect(federation.clock.now() - before).toBeLessThan(1000);
});

test("a job that lacks sites gives up in its time, also while those of another one are asked", async () => {
  const federation = await TestFederation.start();
  await RawSite.connect(federation, "site-1"); // knows nothing of resources
  const deployment = { ...ONE_LICENCE, mandatorySites: ["site-9"] };
  const lacking = await federation.submit({ ...SMALL, waitForSitesMs: 6000 }, { deployment });
  await federation.clock.advance(3000);
  await federation.submit(SMALL, { deployment: ONE_LICENCE });

  await federation.clock.advance(3500);

  expect(await stateOf(federation, lacking)).toBe("failed");
  await federation.stop();
});

test("a job whose beginning cannot be kept fails and says so, and its place goes to the next one", async () => {
  const inner = memoryMetadata();
  let isFull = false;
  const metadata: MetadataStore = {
    get: (key) => inner.get(key),
    list: (prefix) => inner.list(prefix),
    delete: (key, revision) => inner.delete(key, revision),
    create: (key, value) => inner.create(key, value),
    put: (key, value, revision) => {
      if (!isFull || !key.startsWith("job/")) return inner.put(key, value, revision);
      isFull = false; // once
      return Promise.reject(new StorageError("ERR_STORAGE_UNAVAILABLE", "no space left on device"));
    },
  };
  const federation = await TestFederation.start({ metadata, coordinator: { concurrentJobs: 1 } });
  const first = await federation.submit(SMALL);
  await federation.clock.advance(1);
  const second = await federation.submit(SMALL);
  isFull = true;
  federation.site("site-1");

  const { state, end } = await federation.untilEnd(first, 60_000);

  expect(state).toBe("failed");
  expect(end).toMatchObject({ outcome: "abnormal", code: "ERR_STORAGE_UNAVAILABLE" });
  expect(await federation.untilEnd(second)).toMatchObject({ state: "finished" });
  await federation.stop();
});
