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
 * What a step really takes is up to three times the estimate: kernels of convolutions work on copies, and allocators round up
 * (measured: 39 of 41 MB for the MLP at 4096 examples, 104 of 37 MB for the CNN at 256).
 */
const HEADROOM = 3;

/**
 * The largest power of two whose step fits into `availableBytes` with room to spare. What a step needs grows with each example
 * by about the same amount, so that two small sizes tell where to look.
 * @param compile compiles the step for a batch size
 * @returns undefined where not even one example fits, or the file holds the size of its batch
 */
export function adviseBatchSize(
  compile: (batchSize: number) => CompiledStep,
  availableBytes: number,
): BatchSizeAdvice | undefined {
  const budget = availableBytes / HEADROOM;
  try {
    const needed = (batchSize: number): number => stepBytes(compile(batchSize));
    const [few, more] = [needed(8), needed(16)];
    const estimate = (batchSize: number): number => few + (batchSize - 8) * ((more - few) / 8);
    let batchSize = MAX_ADVISED;
    while (batchSize > 1 && estimate(batchSize) > budget) batchSize /= 2;
    for (; batchSize >= 1; batchSize /= 2) {
      const neededBytes = needed(batchSize);
      if (neededBytes <= budget) return { batchSize, neededBytes };
    }
    return undefined;
  } catch (cause) {
    if (cause instanceof TrainingError) return undefined; // a file of another size does not compile
    throw cause;
  }
}

/** What to do about a step that does not fit into the memory of a device, for people. */
export function adviceFor(compile: (batchSize: number) => CompiledStep): (availableBytes: number) => string {
  return (availableBytes) => {
    const advice = adviseBatchSize(compile, availableBytes);
    return advice === undefined ? "use a smaller model" : `use a batch size of ${advice.batchSize}`;
  };
}
