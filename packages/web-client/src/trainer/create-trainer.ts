import {
  type CallOptions,
  type ModelTrainer,
  type ModelTrainerOptions,
  openPortTrainer,
} from "@photinus/training";
import type { BrowserDevice } from "../site-port/index.ts";
import { startWorker } from "./start-worker.ts";

/** What is trained, and where. */
export interface CreateTrainerOptions extends ModelTrainerOptions, Pick<CallOptions, "signal"> {
  /** Provider to train on. Default: "fastest", the one that takes trial steps faster. */
  readonly device?: BrowserDevice | "fastest";
}

/**
 * Opens a model for training in a worker of its own. Dispose of it to end the worker.
 * @throws TrainingError of the model, `ERR_MODEL_SHAPE` when the data or a metric does not fit it, `ERR_DATA_MISSING` when
 *   there are no examples, `ERR_DEVICE_UNAVAILABLE` with the reason of each provider; the signal's reason when it is aborted
 */
export function createTrainer({
  device = "fastest",
  ...options
}: CreateTrainerOptions): Promise<ModelTrainer> {
  return openPortTrainer(options, startWorker({ kind: "train-model", device }));
}
