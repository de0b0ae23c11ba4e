import {
  type CallOptions,
  type ModelTrainer,
  type ModelTrainerOptions,
  openPortTrainer,
} from "@photinus/training";
import { startWorker } from "./start-worker.ts";
import type { DeviceOptions } from "./worker-options.ts";

/** What is trained, and where. */
export interface CreateTrainerOptions
  extends ModelTrainerOptions,
    DeviceOptions,
    Pick<CallOptions, "signal"> {}

/**
 * Opens a model for training in a worker thread, or for WebGPU in a child process, whose end cannot take this process along:
 * calls are refused with `ERR_TRAINER_LOST` then. Dispose of it to end the worker.
 * @throws TrainingError of the model, `ERR_MODEL_SHAPE` when the data or a metric does not fit it, `ERR_DATA_MISSING` when
 *   there are no examples, `ERR_DEVICE_UNAVAILABLE` with the reason of each device; the signal's reason when it is aborted
 */
export function createTrainer({ device, threads, ...options }: CreateTrainerOptions): Promise<ModelTrainer> {
  const where = {
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  };
  return openPortTrainer(options, startWorker(where));
}
