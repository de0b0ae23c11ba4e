import { PortTrainer, type TrainerWorker } from "@photinus/training";
import { startWorker } from "./start-worker.ts";
import type { NodeTrainerOptions } from "./worker-options.ts";

/**
 * Starts a site's trainer in a worker. When that dies, all calls are refused with `ERR_TRAINER_LOST`. Close it to end the
 * worker.
 */
export function startNodeTrainer(options: NodeTrainerOptions): PortTrainer {
  return trainerIn(startWorker(options));
}

/** The trainer that `worker` serves, lost when it ends. */
export function trainerIn({ port, end, onLost }: TrainerWorker): PortTrainer {
  const trainer = new PortTrainer(port, end);
  onLost((reason) => trainer.lose(reason));
  return trainer;
}
