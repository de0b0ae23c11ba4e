import { systemClock } from "@photinus/node-platform";
import { LocalTrainer, serveTrainer, type TrainerPort } from "@photinus/training";
import { folderData } from "../data/index.ts";
import { nodeRuntimes } from "./runtimes.ts";
import type { NodeTrainerOptions } from "./worker-options.ts";

/** Serves a trainer on the data and devices of this machine over `port`. */
export function serveNodeTrainer(port: TrainerPort, options: NodeTrainerOptions): void {
  const { dataFolder, device = "auto", threads = 1 } = options;
  const runtimes = nodeRuntimes(device, threads);
  serveTrainer(new LocalTrainer({ runtimes, data: folderData(dataFolder), clock: systemClock() }), port);
}
