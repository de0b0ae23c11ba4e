import type { TransformDefinition } from "./transform-definition.ts";

/**
 * A loss by its name in `training`, with its defaults, or with what it can be told. The loss of a batch is the mean over
 * all labels that count: of a sequence every token counts, of several outputs every number.
 */
export type LossDefinition = LossOptions["name"] | LossOptions;

/** A loss and what it can be told. */
export type LossOptions =
  | CrossEntropyOptions
  | HuberOptions
  | {
      readonly name: "binary-cross-entropy" | "mean-squared-error" | "mean-absolute-error" | "kl-divergence";
    };

/** Softmax cross-entropy of logits and class ids. */
export interface CrossEntropyOptions {
  /** Which loss. */
  readonly name: "cross-entropy";
  /** Share of the target that is spread over all classes, in [0, 1). Default: 0. */
  readonly labelSmoothing?: number;
  /** The label of what does not count, such as padding behind a sequence; -2^31 to 2^31 - 1. Default: none. */
  readonly ignoredLabel?: number;
  /** The axis of the logits along which the classes lie, 1 to 7. Default: the last. */
  readonly classAxis?: number;
}

/** Squared below a distance, linear beyond it (Huber 1964). */
export interface HuberOptions {
  /** Which loss. */
  readonly name: "huber";
  /** The distance, > 0. Default: 1. */
  readonly delta?: number;
}

/** What optimizers have in common. */
export interface WeightDecayOptions {
  /** What is taken off the weights: in the gradient, or beside it for `adamw` and `lion`; 0 to 1. Default: 0. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent. */
export interface SgdConstants extends WeightDecayOptions {
  /** Which optimizer. */
  readonly name: "sgd";
  /** In [0, 1). */
  readonly momentum: number;
  /** Looks ahead along the momentum. Default: false. */
  readonly nesterov?: boolean;
}

/** Adam, with the decay in the gradient; AdamW, with the decay beside it. */
export interface AdamConstants extends WeightDecayOptions {
  /** Which optimizer. */
  readonly name: "adam" | "adamw";
  /** Decay of the mean, in [0, 1). Default: 0.9. */
  readonly beta1?: number;
  /** Decay of the mean square, in [0, 1). Default: 0.999. */
  readonly beta2?: number;
  /** Added to the root, > 0. Default: 1e-8. */
  readonly epsilon?: number;
}

/** Adagrad. */
export interface AdagradConstants extends WeightDecayOptions {
  /** Which optimizer. */
  readonly name: "adagrad";
  /** Added to the root, > 0. Default: 1e-10. */
  readonly epsilon?: number;
}

/** RMSProp. */
export interface RmspropConstants extends WeightDecayOptions {
  /** Which optimizer. */
  readonly name: "rmsprop";
  /** Decay of the mean square, in [0, 1). Default: 0.99. */
  readonly smoothing?: number;
  /** In [0, 1). Default: 0. */
  readonly momentum?: number;
  /** Added to the root, > 0. Default: 1e-8. */
  readonly epsilon?: number;
}

/** Lion: steps of equal size in every direction. */
export interface LionConstants extends WeightDecayOptions {
  /** Which optimizer. */
  readonly name: "lion";
  /** Share of the momentum in a step, in [0, 1). Default: 0.9. */
  readonly beta1?: number;
  /** Decay of the momentum, in [0, 1). Default: 0.99. */
  readonly beta2?: number;
}

/** An optimizer by its name in `training`, with its constants. */
export type OptimizerConstants =
  | SgdConstants
  | AdamConstants
  | AdagradConstants
  | RmspropConstants
  | LionConstants;

/** An optimizer with its learning rate. */
export type OptimizerDefinition = OptimizerConstants & {
  /** > 0 */
  readonly learningRate: number;
};

/** Parameters that are updated otherwise than the rest. */
export interface ParameterGroup {
  /** Names, or parts of them with `*` for the rest: `*.bias`; 1 to 64. The first group that names one counts. */
  readonly parameters: readonly string[];
  /** Times the learning rate of the optimizer, 0 to 1 000. Default: 1. */
  readonly learningRateFactor?: number;
  /** Instead of the optimizer's, 0 to 1. */
  readonly weightDecay?: number;
}

/** What the learning rate is multiplied with, by the epoch: epochs are counted over all rounds, with fractions. */
export interface ScheduleDefinition {
  /**
   * `constant`; `step`: times `factor` after every `everyEpochs`; `cosine` and `linear`: from 1 down to `floor` over
   * `epochs`.
   */
  readonly name: "constant" | "step" | "cosine" | "linear";
  /** Epochs over which the rate rises linearly from 0; the rest follows behind them. Default: 0. */
  readonly warmupEpochs?: number;
  /** For `step`: epochs between two falls. */
  readonly everyEpochs?: number;
  /** For `step`: in (0, 1). */
  readonly factor?: number;
  /** For `cosine` and `linear`: how long the fall takes. */
  readonly epochs?: number;
  /** For `cosine` and `linear`: where it ends, in [0, 1]. Default: 0. */
  readonly floor?: number;
}

/** Layers that stay at each site (Arivazhagan et al. 2019, FedPer). */
export interface PersonalLayersDefinition {
  /** Which kind of personal model. */
  readonly name: "layers";
  /** Names of the tensors that are never sent, or parts of them with `*` for the rest; 1 to 64. */
  readonly parameters: readonly string[];
}

/** A whole model of each site's own, held near the shared one (Li et al. 2021, Ditto). */
export interface DittoDefinition {
  /** Which kind of personal model. */
  readonly name: "ditto";
  /** λ: how strongly the site's own model is held at the shared one, > 0. */
  readonly strength: number;
}

/** What of a model is each site's own: kept there, used there, never sent. */
export type PersonalDefinition = PersonalLayersDefinition | DittoDefinition;

/** How each site trains. */
export interface TrainingDefinition {
  /** What is made small. */
  readonly loss: LossDefinition;
  /** How parameters follow gradients. */
  readonly optimizer: OptimizerDefinition;
  /** Examples per step, 1 to 65 536. */
  readonly batchSize: number;
  /** Passes over the site's training examples per round, 1 to 1 000. */
  readonly localEpochs: number;
  /** How the learning rate changes over the rounds. Default: it does not. */
  readonly schedule?: ScheduleDefinition;
  /** Parameters with rules of their own, at most 16 groups. Default: none. */
  readonly groups?: readonly ParameterGroup[];
  /** The gradient of all parameters together is shortened to this L2 norm. Default: it is not. */
  readonly clippingNorm?: number;
  /** Batches whose gradients become one update, 1 to 4 096. Default: 1. */
  readonly batchesPerUpdate?: number;
  /** μ of FedProx (Li et al. 2020): how strongly a site is held at the received model, > 0. Default: not at all. */
  readonly proximal?: number;
  /** What of the model is each site's own. Default: nothing. */
  readonly personal?: PersonalDefinition;
  /** What a loss or gradient that is no finite number does: ends the task, or leaves out the update. Default: `fail`. */
  readonly onNotFinite?: "fail" | "skip";
  /** What is done with each example before the model sees it, in this order, at most 16. Default: nothing. */
  readonly transforms?: readonly TransformDefinition[];
}
