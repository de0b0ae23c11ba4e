import { silentLogger } from "@photinus/core/platform";
import { openKit } from "@photinus/core/provision";
import { nodeCrypto, spareFullCollections, systemClock } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { serveParent } from "../federation/serve-parent.ts";
import { usage } from "../federation/usage.ts";
import { BENCH_LIMITS } from "./limits.ts";
import type { BenchProject } from "./project.ts";
import { rawCertificatesMs, rawLoginMs } from "./raw-crypto.ts";
import { compactUserMemory, userMemory } from "./user-memory.ts";

// The whole server: coordinator, audit on disk, sessions, HTTP.

let server: PhotinusServer | undefined;
let stop: () => Promise<void> = async () => undefined;

async function start({ project, folder }: { project: BenchProject; folder: string }): Promise<string> {
  spareFullCollections(); // as `photinus server start` does
  const crypto = nodeCrypto();
  const clock = systemClock();
  const storage = await openStorage({ folder }, { crypto });
  const { files, secret } = project.hub;
  const kit = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
  const started = new PhotinusServer(
    { kit, port: 0, limits: BENCH_LIMITS },
    { storage, clock, crypto, logger: silentLogger },
  );
  server = started;
  stop = async () => {
    await started.stop();
    await storage.close();
  };
  return (await started.start()).socketUrl;
}

serveParent({
  start,
  usage,
  userMemory,
  compactUserMemory,
  rawLoginMs,
  rawCertificatesMs,
  sites: () => server?.coordinator.sites().length ?? 0,
  stop: () => stop(),
});
