import type { Trainer } from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";

/** Options of {@link noopTrainer}. */
export interface NoopTrainerOptions {
  /** What every training yields. */
  readonly delta: ParameterSet;
  /** Awaited in each training. */
  readonly gate: () => Promise<void>;
}

/** A trainer that trains nothing: what is left of a round is the platform's own. */
export function noopTrainer({ delta, gate }: NoopTrainerOptions): Trainer {
  return {
    prepare: async () => ({ device: "none", trainingExamples: 1, heldOutExamples: 0 }),
    evaluate: async () => undefined,
    async train() {
      await gate();
      return { delta, exampleCount: 1, loss: 0, steps: 1 };
    },
    close: async () => undefined,
  };
}
