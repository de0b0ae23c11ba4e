import type { Clock } from "@photinus/core/platform";
import { overMessagePort, serveModelTrainer } from "@photinus/training";
import type { BrowserDevice } from "../site-port/index.ts";
import { browserRuntimes } from "./runtimes.ts";

/** Serves a trainer of a model on the providers that fit `device`. A module of its own: sites do not load it. */
export function serveModel(device: BrowserDevice | "fastest", port: MessagePort, clock: Clock): void {
  serveModelTrainer({ runtimes: browserRuntimes(device), clock }, overMessagePort(port));
}
