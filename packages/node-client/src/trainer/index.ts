export { type DeviceChoice, parseDevice } from "./device.ts";
export { hasCudaLibrary, nodeRuntimes } from "./runtimes.ts";
export { startNodeTrainer } from "./start-node-trainer.ts";
export type { NodeTrainerOptions } from "./worker-options.ts";
