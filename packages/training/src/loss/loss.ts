import type { Profile } from "../gradient/index.ts";
import type { GraphBuilder, ValueType } from "../graph/index.ts";

/** What a loss compares. */
export interface LossInputs {
  /** The model's output, [examples, ...]. */
  readonly output: string;
  /** The right answers. */
  readonly labels: string;
  /** The weight of each example: 0 for the padding of a last, partial batch. */
  readonly weights: string;
}

/** What belongs to an output. */
export interface LossTypes {
  /** The right answers: i32 class ids or f32 numbers. */
  readonly labels: ValueType;
  /** The weights: f32, one for each example, of the output's rank. */
  readonly weights: ValueType;
  /** Labels of one example that the loss adds up: its mean is over all of them. */
  readonly termsPerExample: number;
  /** Class ids are 0 to this - 1; absent for labels that are numbers. */
  readonly classCount?: number;
  /** The axis of the output along which the classes lie; absent for labels that are numbers. */
  readonly classAxis?: number;
  /** The class id of what does not count; absent when everything does. */
  readonly ignoredLabel?: number;
}

/** What a loss is to a training step. */
export interface LossValue {
  /** f32 scalar: Σ weight · loss; the mean where the weights are one over the number of labels that count. */
  readonly loss: string;
  /** Its gradient by the output, of its shape. */
  readonly gradient: string;
}

/** What a loss is to an evaluation; both are sums where the weights are 1, so that batches can be added up. */
export interface LossMeasure {
  /** f32 scalar: Σ weight · loss. */
  readonly lossSum: string;
  /** f32 scalar: Σ weight · [the answer is right]; absent where no answer is simply right or wrong. */
  readonly correct?: string;
}

/** A loss: the nodes of its value, of its gradient in closed form, and of what is measured with it. */
export interface Loss {
  /** What belongs to an output. @throws TrainingError `ERR_MODEL_SHAPE` if it does not fit the loss */
  readonly types: (output: ValueType) => LossTypes;
  /** Adds value and gradient, in the form that suits `profile`. */
  readonly differentiate: (builder: GraphBuilder, inputs: LossInputs, profile: Profile) => LossValue;
  /** Adds loss and count of right answers, in the form that runs everywhere. */
  readonly measure: (builder: GraphBuilder, inputs: LossInputs) => LossMeasure;
}

/** The type of the weights that belong to an output of this shape. */
export function weightsOf([examples = 0, ...rest]: readonly number[]): ValueType {
  return { dtype: "f32", shape: [examples, ...rest.map(() => 1)] };
}
