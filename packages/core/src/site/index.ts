export type {
  PreparedTrainer,
  Trainer,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainProgress,
  TrainRequest,
} from "./trainer.ts";
