import type { DeviceChoice } from "./device.ts";

/** What a trainer's worker or child process is started with. */
export interface NodeTrainerOptions {
  /** Folder of the site's data; see `DataDescription`. */
  readonly dataFolder: string;
  /** Device to train on. Default: "auto", which is CUDA where it works, else the CPU. */
  readonly device?: DeviceChoice;
  /** Threads of one operator on the CPU; 0 lets the runtime choose. Default: 1, the fastest for small models. */
  readonly threads?: number;
}
