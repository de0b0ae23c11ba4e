import type { ParameterSet } from "../../tensor/index.ts";
import type { Trainer, TrainerEvaluation, TrainOptions, TrainOutcome } from "../trainer.ts";

/** A model version that came in with its task. */
export interface LocalTask {
  /** The model as received. */
  readonly parameters: ParameterSet;
  /** Seed of everything random in this task. */
  readonly seed: number;
  /** From 1. */
  readonly round: number;
  /** The control variate of the server, where it sent one. */
  readonly control?: ParameterSet;
}

/** What came of a task at the site. */
export interface LocalOutcome extends Omit<TrainOutcome, "delta"> {
  /** What the server is to have, before filters: tensors of the update's layout. */
  readonly update: ParameterSet;
  /** Called when the server has committed the update: from here on it counts at the site as well. */
  readonly onCommitted?: () => Promise<void>;
}

/** What a site does in a round of its job, beyond running a trainer. */
export interface LocalAlgorithm {
  /** Measures the model as this site would use it. */
  evaluate(parameters: ParameterSet, options: TrainOptions): Promise<TrainerEvaluation | undefined>;
  /** Does a round's local work. */
  train(task: LocalTask, options: TrainOptions): Promise<LocalOutcome>;
  /** The job has ended: what was kept for its rounds alone goes. */
  end(): Promise<void>;
}

/** The site trains what it received, and the change is its update. */
export function plain(trainer: Trainer): LocalAlgorithm {
  return {
    evaluate: (parameters, options) => trainer.evaluate(parameters, options),
    async train({ parameters, seed, round }, options) {
      const { delta, ...rest } = await trainer.train({ parameters, seed, round }, options);
      return { update: delta, ...rest };
    },
    end: () => Promise.resolve(),
  };
}
