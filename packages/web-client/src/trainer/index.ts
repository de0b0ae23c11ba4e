export { browserTrainers } from "./browser-trainers.ts";
export { type CreateTrainerOptions, createTrainer } from "./create-trainer.ts";
