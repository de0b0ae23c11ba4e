import type { Algebra, GraphBuilder } from "../graph/index.ts";

/** One parameter of a step. */
export interface Update {
  /** Where the nodes are added. */
  readonly builder: GraphBuilder;
  /** Writes formulas there. */
  readonly algebra: Algebra;
  /** The parameter's value before the step. */
  readonly parameter: string;
  /** Gradient of the loss by it, of its shape; times the learning rate where {@link isScaled}. */
  readonly gradient: string;
  /** The learning rate: an f32 scalar. */
  readonly rate: string;
  /**
   * True when the gradient was multiplied by the learning rate where it starts, at the logits, which costs nothing; only
   * for optimizers that say so, while the learning rate does not change.
   */
  readonly isScaled: boolean;
  /**
   * Declares a state of the parameter's shape that starts as zeros; `next` adds the nodes of its value after the step.
   * @returns the value after the step
   */
  state(name: string, next: (before: string) => string): string;
  /**
   * An f32 scalar that depends on the number of the update, counted from 1: computed in float64 outside the graph, once
   * for all parameters.
   */
  scalar(name: string, at: (update: number) => number): string;
}

/** An optimizer: the nodes that make new values out of old ones and a gradient. */
export interface Optimizer {
  /** True where {@link Update.isScaled} is welcome. */
  readonly takesScaledGradients: boolean;
  /** Where weight decay acts: λ p is added to the gradient, or p becomes p (1 - η λ) before the update. */
  readonly decays: "gradient" | "parameter";
  /** Adds the update of one parameter. @returns its value after the step */
  readonly update: (update: Update) => string;
}

/** β a + (1 - β) b */
export function blend(algebra: Algebra, share: number, [a, b]: readonly [string, string]): string {
  return algebra.add(algebra.mul(a, share), algebra.mul(b, 1 - share));
}
