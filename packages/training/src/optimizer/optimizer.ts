import type { GraphBuilder } from "../graph/index.ts";

/** One parameter of a step. */
export interface Update {
  /** The parameter's value before the step. */
  readonly parameter: string;
  /** Gradient of the loss by it, of its shape; times the learning rate if the optimizer says so. */
  readonly gradient: string;
  /** f32 scalar. */
  readonly learningRate: string;
  /** Declares a state of the parameter's shape that starts as zeros. @returns its value before the step */
  readonly state: (name: string) => string;
}

/** The values after a step. */
export interface Updated {
  /** The parameter. */
  readonly parameter: string;
  /** States by the names they were declared under. */
  readonly states: Readonly<Record<string, string>>;
}

/** Constants of an optimizer, from the job's definition. */
export interface OptimizerOptions {
  /** In [0, 1). */
  readonly momentum: number;
}

/** An optimizer: the nodes that make new values out of old ones and a gradient. */
export interface Optimizer {
  /**
   * True when the gradients are wanted times the learning rate. Gradients are linear in the one they start from, so
   * that scaling the small gradient of the logits scales all, for nothing.
   */
  readonly scalesGradients: boolean;
  /** Adds the update of one parameter. */
  readonly update: (builder: GraphBuilder, update: Update, options: OptimizerOptions) => Updated;
}
