import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";

export { crossEntropy } from "./cross-entropy.ts";
export type { Loss, LossInputs } from "./loss.ts";

/** Losses by the name that job definitions use. */
export const LOSSES: ReadonlyMap<string, Loss> = new Map([["cross-entropy", crossEntropy]]);
