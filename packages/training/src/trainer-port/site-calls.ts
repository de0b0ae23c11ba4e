import type { PreparedTrainer, TrainerEvaluation, TrainerJob, TrainOutcome } from "@photinus/core/site";
import type { Parcel } from "./parcel.ts";

/** A {@link TrainOutcome} whose tensors travel as a parcel. */
export interface PackedOutcome extends Omit<TrainOutcome, "delta"> {
  /** The delta. */
  readonly delta: Parcel;
}

/** An order to train, packed. */
export interface PackedRequest {
  /** The received model version. */
  readonly parameters: Parcel;
  /** Of this task. */
  readonly seed: number;
  /** From 1. */
  readonly round: number | undefined;
  /** Of the gradients. */
  readonly corrections: Parcel | undefined;
  /** What a pull holds it at. */
  readonly reference: Parcel | undefined;
  /** How strong that pull is. */
  readonly proximal: number | undefined;
}

/** The calls of core's `Trainer`. */
export interface SiteCalls {
  /** Once, before all else. */
  readonly prepare: { readonly call: TrainerJob; readonly result: PreparedTrainer };
  /** On the site's held-out examples. */
  readonly evaluate: { readonly call: Parcel; readonly result: TrainerEvaluation | undefined };
  /** One local training. */
  readonly train: { readonly call: PackedRequest; readonly result: PackedOutcome };
  /** The last. */
  readonly close: { readonly call: undefined; readonly result: undefined };
}
