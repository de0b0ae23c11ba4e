import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

export type { Optimizer, OptimizerOptions, Updated } from "./optimizer.ts";
export { sgd } from "./sgd.ts";

/** Optimizers by the name that job definitions use. */
export const OPTIMIZERS: ReadonlyMap<string, Optimizer> = new Map([["sgd", sgd]]);
