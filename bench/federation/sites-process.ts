import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { openKit } from "@photinus/core/provision";
import { Site } from "@photinus/core/site";
import { nodeCrypto, spareFullCollections, systemClock, webSocketConnector } from "@photinus/node-platform";
import { noopTrainer } from "./noop-trainer.ts";
import { serveParent, tell } from "./serve-parent.ts";
import type { StartSites } from "./start.ts";

const sites: Site[] = [];
let open: () => void = () => undefined;
let gate = Promise.resolve();

/** Trainings that begin from now on wait for `go`. */
function shut(): void {
  gate = new Promise((resolve) => {
    open = resolve;
  });
}

async function start({ kits, socketUrl, gated, jobs }: StartSites): Promise<void> {
  spareFullCollections(); // as `photinus site start` does
  const crypto = nodeCrypto();
  const clock = systemClock();
  if (gated) shut();
  for (const { files, secret } of kits) {
    const kit = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
    const site = new Site(
      {
        identity: kit.identity,
        project: kit.configuration.project,
        root: kit.root.der,
        serverName: kit.configuration.server.name,
        dataNames: ["none"],
        runtime: "node",
        ...(jobs === undefined ? {} : { limits: { concurrentJobs: jobs } }),
      },
      {
        clock,
        crypto,
        connector: webSocketConnector({ url: socketUrl }),
        random: { bytes: (length) => crypto.randomBytes(length) },
        logger: silentLogger,
        privacy: publicPrivacy(),
        createTrainer: () =>
          noopTrainer(
            () => {
              if (gated) tell("training");
              return gate;
            },
            jobs === undefined ? undefined : () => tell("evaluating"),
          ),
        decideJob: async () => "accept",
      },
    );
    site.start();
    sites.push(site);
  }
}

serveParent({
  start,
  go: () => {
    const release = open;
    shut();
    release();
  },
  stop: () => Promise.all(sites.map((site) => site.stop())),
});
