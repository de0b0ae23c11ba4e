import type { Profile } from "../gradient/index.ts";
import type { GraphBuilder, ValueType } from "../graph/index.ts";

/** What a loss compares. */
export interface LossInputs {
  /** The model's output, [examples, ...]. */
  readonly logits: string;
  /** The right answers. */
  readonly labels: string;
  /** The weight of each example: 0 for the padding of a last, partial batch. */
  readonly weights: string;
}

/** Types of what a loss compares with the logits. */
export interface LossTypes {
  /** The right answers. */
  readonly labels: ValueType;
  /** The weights. */
  readonly weights: ValueType;
}

/** What a loss is to a training step. */
export interface LossValue {
  /** f32 scalar: Σ weight · loss; the mean where the weights sum to 1. */
  readonly loss: string;
  /** Its gradient by the logits, of their shape. */
  readonly gradient: string;
}

/** What a loss is to an evaluation; both are sums where the weights are 1, so that batches can be added up. */
export interface LossMeasure {
  /** f32 scalar: Σ weight · loss. */
  readonly lossSum: string;
  /** f32 scalar: Σ weight · [the answer is right]. */
  readonly correct: string;
}

/** A loss: the nodes of its value, of its gradient in closed form, and of what is measured with it. */
export interface Loss {
  /** What belongs to logits of type `logits`. @throws TrainingError `ERR_MODEL_SHAPE` if these do not fit the loss */
  readonly types: (logits: ValueType) => LossTypes;
  /** Adds value and gradient, in the form that suits `profile`. */
  readonly differentiate: (builder: GraphBuilder, inputs: LossInputs, profile: Profile) => LossValue;
  /** Adds loss and count of right answers, in the form that runs everywhere. */
  readonly measure: (builder: GraphBuilder, inputs: LossInputs) => LossMeasure;
}
