import { expect, test } from "vitest";
import type { LiveSite } from "../../src/coordinator/live-site.ts";
import { Scheduler } from "../../src/coordinator/scheduler.ts";
import { silentLogger } from "../../src/platform/index.ts";
import { PluginHost } from "../../src/plugin/index.ts";
import { virtualClock } from "../../src/testing/index.ts";

test("while no job waits, a site that comes or goes has no other one looked at: ten thousand come at once", async () => {
  let looks = 0;
  const sites = () => {
    looks += 1;
    return [];
  };
  const clock = virtualClock();
  const scheduler = new Scheduler(
    { concurrentJobs: 4, jobsPerSite: 4 },
    {
      clock,
      plugins: new PluginHost([], { clock, logger: silentLogger }),
      sites,
      isLive: () => true,
      studies: { admits: () => true, mayTakePart: () => true },
      onIdle: () => undefined,
      track: () => undefined,
    },
  );
  // All that a scheduler without jobs reads of a site.
  const site = { name: "site-1", dataNames: ["line"], preparedJobs: [] } as Partial<LiveSite> as LiveSite;

  await scheduler.arrived(site);
  scheduler.left(site, true);

  expect(looks).toBe(0);
});
