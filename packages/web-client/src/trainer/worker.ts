import { LocalTrainer, overMessagePort, serveTrainer } from "@photinus/training";
import { systemClock } from "../system-clock.ts";
import { checkDevices } from "./check-devices.ts";
import { browserRuntimes } from "./runtimes.ts";
import { siteData } from "./site-data.ts";
import type { WorkerOrder } from "./worker-order.ts";

// Entry of the trainer worker. ONNX Runtime is loaded here and nowhere else, so that the page and the site worker stay
// small and answer at once while a step runs.
globalThis.addEventListener("message", begin, { once: true });

/** A promise that is refused tells nobody outside the worker, an error that is reported does: the trainer is lost then. */
function begin({ data }: MessageEvent<WorkerOrder>): void {
  obey(data).catch(reportError);
}

async function obey({ task, port }: WorkerOrder): Promise<void> {
  const clock = systemClock();
  switch (task.kind) {
    case "train": {
      const { data, device } = task;
      const trainer = new LocalTrainer({ runtimes: browserRuntimes(device), data: siteData(data), clock });
      serveTrainer(trainer, overMessagePort(port));
      return;
    }
    case "train-model": {
      const { serveModel } = await import("./serve-model.ts");
      serveModel(task.device, port, clock);
      return;
    }
    case "check":
      port.postMessage(await checkDevices(task.device, clock));
      return;
  }
}
