import type { Bytes } from "@photinus/core/bytes";
import type { PackedDataset } from "../data/index.ts";
import type {
  EpochsOutcome,
  MeasuredEvaluation,
  ModelTrainer,
  ModelTrainerOptions,
  StepCallOptions,
  StepOutcome,
} from "../trainer/index.ts";
import type { Parcel } from "./parcel.ts";

/** {@link ModelTrainerOptions} whose data travels as arrays. */
export interface PackedOptions extends Omit<ModelTrainerOptions, "data"> {
  /** The data. */
  readonly data: PackedDataset | undefined;
}

/** A batch on its way, and the options of its step. */
export interface PackedStep {
  /** The examples. */
  readonly batch: PackedDataset;
  /** See `ModelTrainer.step`. */
  readonly options: StepCallOptions | undefined;
}

/** The calls of a {@link ModelTrainer}. */
export interface ModelCalls {
  /** Once, before all else: chooses a device. */
  readonly open: {
    readonly call: PackedOptions;
    readonly result: Pick<ModelTrainer, "device" | "rejected" | "memory" | "table">;
  };
  /** One batch. */
  readonly step: { readonly call: PackedStep; readonly result: StepOutcome };
  /** Passes over the data. */
  readonly train: { readonly call: number; readonly result: EpochsOutcome };
  /** On other data. */
  readonly evaluate: { readonly call: PackedDataset; readonly result: MeasuredEvaluation };
  /** As they are. */
  readonly parameters: { readonly call: undefined; readonly result: Parcel };
  /** Begins anew. */
  readonly load: { readonly call: Parcel; readonly result: undefined };
  /** The file. */
  readonly save: { readonly call: undefined; readonly result: Bytes };
  /** The last. */
  readonly dispose: { readonly call: undefined; readonly result: undefined };
}
