import { TrainingError } from "@photinus/core/errors";
import type { Trainer } from "@photinus/core/site";
import { PortTrainer } from "@photinus/training";
import type { BrowserTrainers } from "../site-host/index.ts";
import type { BrowserDevice, DeviceReport, SiteDataFiles } from "../site-port/index.ts";
import { startWorker } from "./start-worker.ts";

/** Trainers in workers of their own, one per running job. */
export function browserTrainers(): BrowserTrainers {
  return { start: startTrainer, check: checkInWorker };
}

/** A worker that trains on a copy of `data`. When it dies, all calls are refused with `ERR_TRAINER_LOST`. */
function startTrainer(data: SiteDataFiles, device: BrowserDevice | "fastest"): Trainer {
  const { port, end, onLost } = startWorker({ kind: "train", data, device });
  const trainer = new PortTrainer(port, end);
  onLost((reason) => trainer.lose(reason));
  return trainer;
}

async function checkInWorker(device: BrowserDevice | "fastest"): Promise<DeviceReport> {
  const { port, end, onLost } = startWorker({ kind: "check", device });
  try {
    return await new Promise<DeviceReport>((resolve, reject) => {
      port.listen((report) => resolve(report as DeviceReport)); // of our own worker
      onLost((reason) =>
        reject(new TrainingError("ERR_TRAINER_LOST", `the training worker ended: ${reason}`)),
      );
    });
  } finally {
    port.close();
    await end();
  }
}
