import { expect, test } from "vitest";
import type { DeploymentDefinition } from "../../src/job/index.ts";
import type { Site } from "../../src/site/index.ts";
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
