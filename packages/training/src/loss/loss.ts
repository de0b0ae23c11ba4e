import type { GraphBuilder, ValueType } from "../graph/index.ts";

/** What a loss compares. */
export interface LossInputs {
  /** The model's output, [examples, ...]. */
  readonly logits: string;
  /** The right answers; their type is {@link Loss.labels}. */
  readonly labels: string;
  /** f32 [examples]: the weight of each example; 0 for the padding of a last, partial batch. */
  readonly mask: string;
}

/** What a loss is to a training step. */
export interface LossValue {
  /** f32 scalar: Σ mask · loss / Σ mask. */
  readonly loss: string;
  /** Its gradient by the logits, of their shape. */
  readonly gradient: string;
}

/** What a loss is to an evaluation; both are sums, so that batches can be added up. */
export interface LossMeasure {
  /** f32 scalar: Σ mask · loss. */
  readonly lossSum: string;
  /** f32 scalar: Σ mask · [the answer is right]. */
  readonly correct: string;
}

/** A loss: the nodes of its value, of its gradient in closed form, and of what is measured with it. */
export interface Loss {
  /** Type of the labels for logits of type `logits`. @throws TrainingError `ERR_MODEL_SHAPE` if these do not fit */
  readonly labels: (logits: ValueType) => ValueType;
  /** Adds value and gradient. */
  readonly differentiate: (builder: GraphBuilder, inputs: LossInputs) => LossValue;
  /** Adds loss and count of right answers. */
  readonly measure: (builder: GraphBuilder, inputs: LossInputs) => LossMeasure;
}
