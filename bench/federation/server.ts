import { nodeCrypto, pinoLogger, systemClock } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { type PartMessage, partStart, tell } from "./parts.ts";

// A server as production runs it, in a process of its own whose CPU time and memory the runner asks for.
const { opened: kit, stateFolder = "" } = await partStart();
const crypto = nodeCrypto();
const storage = await openStorage({ folder: stateFolder }, { crypto });
const server = new PhotinusServer(
  { kit, port: 0 },
  { storage, clock: systemClock(), crypto, logger: pinoLogger({ name: "server", level: "warn" }) },
);
const { socketUrl } = await server.start();
process.on("message", (message: PartMessage) => {
  if (message.kind !== "measure") return;
  const { user, system } = process.cpuUsage();
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  tell({ kind: "measured", cpuMs: (user + system) / 1_000, peakBytes });
});
process.once("disconnect", () => {
  void server
    .stop()
    .then(() => storage.close())
    .finally(() => process.exit());
});
tell({ kind: "ready", socketUrl });
