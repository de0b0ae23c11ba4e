import { TrainingError } from "@photinus/core/errors";
import type { Trainer } from "@photinus/core/site";
import { overMessagePort, PortTrainer } from "@photinus/training";
import type { BrowserTrainers } from "../site-host/index.ts";
import type { BrowserDevice, DeviceReport, SiteDataFiles } from "../site-port/index.ts";
import type { WorkerOrder } from "./worker-order.ts";

/** Trainers in workers of their own, one per running job. */
export function browserTrainers(): BrowserTrainers {
  return { start: startTrainer, check: checkInWorker };
}

/** A worker that trains on a copy of `data`. When it dies, all calls are refused with `ERR_TRAINER_LOST`. */
function startTrainer(data: SiteDataFiles, device: BrowserDevice | "fastest"): Trainer {
  const worker = startWorker();
  const { port1, port2 } = new MessageChannel();
  const trainer = new PortTrainer(overMessagePort(port1), async () => worker.terminate());
  worker.addEventListener("error", (event) => trainer.lose(event.message || "it could not start"));
  send(worker, { kind: "train", port: port2, data, device });
  return trainer;
}

async function checkInWorker(device: BrowserDevice | "fastest"): Promise<DeviceReport> {
  const worker = startWorker();
  const { port1, port2 } = new MessageChannel();
  try {
    return await new Promise<DeviceReport>((resolve, reject) => {
      port1.onmessage = ({ data }) => resolve(data);
      worker.addEventListener("error", (event) => {
        reject(new TrainingError("ERR_TRAINER_LOST", event.message || "the training worker could not start"));
      });
      send(worker, { kind: "check", port: port2, device });
    });
  } finally {
    port1.close();
    worker.terminate();
  }
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "photinus trainer" });
}

function send(worker: Worker, order: WorkerOrder): void {
  worker.postMessage(order, [order.port]);
}
