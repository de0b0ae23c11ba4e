import type { Evaluation } from "@photinus/core/job";
import type { PreparedTrainer, TrainerJob, TrainOutcome, TrainProgress } from "@photinus/core/site";
import type { Parcel } from "./parcel.ts";

// Both ends of the port are this package in one process, of one version: messages are trusted as function calls are.
// What crosses is plain data only, and every answer names the call it belongs to.

/** A call on its way to the trainer. */
export type TrainerCall =
  | { readonly kind: "prepare"; readonly id: number; readonly job: TrainerJob }
  | { readonly kind: "evaluate"; readonly id: number; readonly parameters: Parcel }
  | {
      readonly kind: "train";
      readonly id: number;
      readonly parameters: Parcel;
      readonly seed: number;
      readonly round: number | undefined;
    }
  | { readonly kind: "close"; readonly id: number };

/** What goes to the trainer. */
export type ToTrainer = TrainerCall | { readonly kind: "abort"; readonly id: number };

/** A {@link TrainOutcome} whose tensors travel as a parcel. */
export interface PackedOutcome extends Omit<TrainOutcome, "delta"> {
  /** The delta. */
  readonly delta: Parcel;
}

/** What a call yields. */
export type CallResult =
  | { readonly kind: "prepare"; readonly value: PreparedTrainer }
  | { readonly kind: "evaluate"; readonly value: Evaluation | undefined }
  | { readonly kind: "train"; readonly value: PackedOutcome }
  | { readonly kind: "close" };

/** A fault on its way back. Causes stay where they arose. */
export interface PackedError {
  /** Code of a TrainingError, or empty for any other fault. */
  readonly code: string;
  /** For people. */
  readonly message: string;
}

/** What comes from the trainer. */
export type FromTrainer =
  | { readonly kind: "result"; readonly id: number; readonly result: CallResult }
  | { readonly kind: "error"; readonly id: number; readonly error: PackedError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: TrainProgress };
