import type { DeviceChoice } from "./device.ts";

/** The device of a trainer. */
export interface DeviceOptions {
  /** Device to train on. Default: "auto", which is CUDA where it works, else the CPU. */
  readonly device?: DeviceChoice;
  /** Threads of one operator on the CPU; 0 lets the runtime choose. Default: 1, the fastest for small models. */
  readonly threads?: number;
}

/** What a site's trainer is started with. */
export interface NodeTrainerOptions extends DeviceOptions {
  /** Folder of the site's data; see `DataDescription`. */
  readonly dataFolder: string;
}

/** What a worker thread or child process is started with: a data folder where it serves a site. */
export type WorkerOptions = DeviceOptions & Partial<NodeTrainerOptions>;
