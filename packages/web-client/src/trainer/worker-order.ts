import type { BrowserDevice, SiteDataFiles } from "../site-port/index.ts";

// The worker and who starts it are this package of one version in one process: see trainer-port of training.

/** What a trainer worker is to do. */
export type WorkerTask =
  | {
      /** The calls of a PortTrainer arrive at the port. */
      readonly kind: "train";
      readonly data: SiteDataFiles;
      readonly device: BrowserDevice | "fastest";
    }
  | {
      /** The calls of a ModelTrainer arrive at the port. */
      readonly kind: "train-model";
      readonly device: BrowserDevice | "fastest";
    }
  | {
      /** The DeviceReport is posted to the port. */
      readonly kind: "check";
      readonly device: BrowserDevice | "fastest";
    };

/** What a trainer worker is told once, by its first message. */
export interface WorkerOrder {
  readonly task: WorkerTask;
  readonly port: MessagePort;
}
