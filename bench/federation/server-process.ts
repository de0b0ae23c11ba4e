import { type AggregatorFactory, aggregatorRegistry, weightedMean } from "@photinus/core/aggregation";
import { silentLogger } from "@photinus/core/platform";
import { openKit } from "@photinus/core/provision";
import { nodeCrypto, spareFullCollections, systemClock } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { serveParent, tell } from "./serve-parent.ts";
import type { ServerStarted, StartServer } from "./start.ts";
import { cpuNowMs, forgetPeak, usage } from "./usage.ts";

/** The server's own aggregator; it tells when the uploads of a round are through. */
const measured: AggregatorFactory = (layout, modules) => {
  const aggregator = weightedMean(layout, modules);
  return {
    measure: (update) => aggregator.measure(update),
    add: (contribution) => aggregator.add(contribution),
    finish: (target) => {
      tell("collected", { cpuMs: cpuNowMs(), atMs: performance.now() });
      return aggregator.finish(target);
    },
    reset: () => aggregator.reset(),
    release: () => aggregator.release(),
  };
};

let stop: () => Promise<void> = async () => undefined;
let ended: (jobId: string) => Promise<string> = async () => "";

async function start({ kit: { files, secret }, folder, jobs }: StartServer): Promise<ServerStarted> {
  spareFullCollections(); // as `photinus server start` does
  const crypto = nodeCrypto();
  const clock = systemClock();
  const storage = await openStorage({ folder }, { crypto });
  const kit = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
  const aggregators = aggregatorRegistry([["weighted-mean", measured]]);
  const server = new PhotinusServer(
    {
      kit,
      port: 0,
      ...(jobs === undefined ? {} : { coordinator: { concurrentJobs: jobs, jobsPerSite: jobs } }),
    },
    { storage, clock, crypto, aggregators, logger: silentLogger },
  );
  const { socketUrl } = await server.start();
  ended = (jobId) => server.coordinator.waitForEnd(jobId, new AbortController().signal);
  stop = async () => {
    await server.stop();
    await storage.close();
  };
  return { socketUrl };
}

serveParent({
  start,
  usage,
  forgetPeak,
  ended: (jobId: string) => ended(jobId),
  stop: () => stop(),
});
