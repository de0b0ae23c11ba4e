export { type CreateTrainerOptions, createTrainer } from "./create-trainer.ts";
export { type DeviceChoice, parseDevice } from "./device.ts";
export { type DeviceReport, probeDevice } from "./probe-device.ts";
export { hasCudaLibrary } from "./runtimes.ts";
export { startNodeTrainer } from "./start-node-trainer.ts";
