export { type MessagePortLike, overMessagePort, type TrainerPort } from "./port.ts";
export { PortTrainer } from "./port-trainer.ts";
export { serveTrainer } from "./serve-trainer.ts";
