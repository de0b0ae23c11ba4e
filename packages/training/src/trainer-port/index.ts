export { openPortTrainer, type TrainerWorker } from "./open-port-trainer.ts";
export { type MessagePortLike, overMessagePort, type TrainerPort } from "./port.ts";
export { PortTrainer } from "./port-trainer.ts";
export { type ServeModelTrainerOptions, serveModelTrainer } from "./serve-model-trainer.ts";
export { serveTrainer } from "./serve-trainer.ts";
