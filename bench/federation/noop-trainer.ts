import type { Trainer } from "@photinus/core/site";
import { parametersOf } from "./model.ts";

/**
 * A trainer that trains and evaluates nothing: what is left of a round is the platform's own.
 * @param gate awaited in each training
 * @param onEvaluate called in each evaluation: every task begins with one, the last is nothing else
 */
export function noopTrainer(gate: () => Promise<void>, onEvaluate: () => void = () => undefined): Trainer {
  let delta = parametersOf([]);
  return {
    async prepare({ parameters }) {
      delta = parametersOf(parameters.map(({ name, shape }) => [name, shape]));
      return { device: "none", trainingExamples: 1, heldOutExamples: 1 };
    },
    async evaluate() {
      onEvaluate();
      return { loss: 1, accuracy: 0.5, exampleCount: 1 };
    },
    async train() {
      await gate();
      return { delta, exampleCount: 1, loss: 1, steps: 1 };
    },
    close: async () => undefined,
  };
}
