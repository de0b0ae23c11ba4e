import { systemClock } from "@photinus/node-platform";
import { LocalTrainer, serveModelTrainer, serveTrainer, type TrainerPort } from "@photinus/training";
import { folderData } from "../data/index.ts";
import { nodeRuntimes } from "./runtimes.ts";
import type { WorkerOptions } from "./worker-options.ts";

/** Serves a trainer on the devices of this machine over `port`: a site's on its data folder, or that of a model. */
export function serveNodeTrainer(port: TrainerPort, options: WorkerOptions): void {
  const { dataFolder, device = "auto", threads = 1 } = options;
  const host = { runtimes: nodeRuntimes(device, threads), clock: systemClock() };
  if (dataFolder === undefined) serveModelTrainer(host, port);
  else serveTrainer(new LocalTrainer({ ...host, data: folderData(dataFolder) }), port);
}
