import type { OptimizerConstants } from "@photinus/core/job";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { lion } from "./lion.ts";
import type { Optimizer } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

export type { Optimizer, Update } from "./optimizer.ts";
export { rateFactor } from "./schedule.ts";

/** The optimizer that a job's definition names. */
export function optimizerOf(constants: OptimizerConstants): Optimizer {
  switch (constants.name) {
    case "sgd":
      return sgd(constants);
    case "adam":
    case "adamw":
      return adam(constants);
    case "adagrad":
      return adagrad(constants);
    case "rmsprop":
      return rmsprop(constants);
    case "lion":
      return lion(constants);
  }
}
