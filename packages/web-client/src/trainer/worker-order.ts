import type { BrowserDevice, SiteDataFiles } from "../site-port/index.ts";

// The worker and who starts it are this package of one version in one process: see trainer-port of training.

/** What a trainer worker is told once, by its first message. */
export type WorkerOrder =
  | {
      readonly kind: "train";
      /** The calls of a PortTrainer arrive here. */
      readonly port: MessagePort;
      readonly data: SiteDataFiles;
      readonly device: BrowserDevice | "fastest";
    }
  | {
      readonly kind: "check";
      /** The DeviceReport is posted here. */
      readonly port: MessagePort;
      readonly device: BrowserDevice | "fastest";
    };
