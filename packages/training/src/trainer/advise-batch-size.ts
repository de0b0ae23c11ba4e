import { TrainingError } from "@photinus/core/errors";
import type { CompiledStep } from "../compile/index.ts";
import { stepBytes } from "./step-bytes.ts";

/** A batch size, and what a step of it needs. */
export interface BatchSizeAdvice {
  /** A power of two. */
  readonly batchSize: number;
  /** Estimated from the graph. */
  readonly neededBytes: number;
}

/** Most examples of a batch that are advised: more only make steps rarer. */
const MAX_ADVISED = 4096;

/**
 * The largest power of two whose step fits into `availableBytes`. What a step needs grows with each example by the same
 * amount, so that two sizes tell of all.
 * @param compile compiles the step for a batch size
 * @returns undefined where not even one example fits, or the file holds the size of its batch
 */
export function adviseBatchSize(
  compile: (batchSize: number) => CompiledStep,
  availableBytes: number,
): BatchSizeAdvice | undefined {
  const needed = bytesBySize(compile);
  if (needed === undefined) return undefined;
  for (let batchSize = MAX_ADVISED; batchSize >= 1; batchSize /= 2) {
    const neededBytes = needed(batchSize);
    if (neededBytes <= availableBytes) return { batchSize, neededBytes };
  }
  return undefined;
}

function bytesBySize(
  compile: (batchSize: number) => CompiledStep,
): ((batchSize: number) => number) | undefined {
  const [few, many] = [8, 16];
  try {
    const [less, more] = [stepBytes(compile(few)), stepBytes(compile(many))];
    const perExample = (more - less) / (many - few);
    return (batchSize) => less + (batchSize - few) * perExample;
  } catch (cause) {
    if (cause instanceof TrainingError) return undefined; // a file of another size does not compile
    throw cause;
  }
}
