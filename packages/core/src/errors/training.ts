import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link TrainingError}. */
export type TrainingErrorCode =
  | "ERR_MODEL_MALFORMED"
  | "ERR_MODEL_TOO_LARGE"
  | "ERR_MODEL_EXTERNAL_DATA"
  | "ERR_MODEL_OPERATOR"
  | "ERR_MODEL_OPSET"
  | "ERR_MODEL_PARAMETERS"
  | "ERR_MODEL_SHAPE"
  | "ERR_DEVICE_UNAVAILABLE"
  | "ERR_TRAINING_NOT_FINITE"
  | "ERR_TRAINER_LOST"
  | "ERR_DATA_MALFORMED"
  | "ERR_DATA_MISSING";

/** What the codes mean, of models, differentiation and training. */
export const TRAINING_ERRORS: Readonly<Record<TrainingErrorCode, ErrorHandling>> = {
  ERR_MODEL_MALFORMED: { action: "reject" },
  ERR_MODEL_TOO_LARGE: { action: "reject" },
  ERR_MODEL_EXTERNAL_DATA: { action: "reject" },
  ERR_MODEL_OPERATOR: { action: "reject" },
  ERR_MODEL_OPSET: { action: "reject" },
  ERR_MODEL_PARAMETERS: { action: "reject" },
  ERR_MODEL_SHAPE: { action: "reject" },
  ERR_DEVICE_UNAVAILABLE: { action: "stop" },
  ERR_TRAINING_NOT_FINITE: { action: "reject" },
  ERR_TRAINER_LOST: { action: "stop" },
  ERR_DATA_MALFORMED: { action: "stop" },
  ERR_DATA_MISSING: { action: "stop" },
};

/** What a person does about them. */
export const TRAINING_REMEDIES: Readonly<Record<TrainingErrorCode, string>> = {
  ERR_MODEL_MALFORMED: "Export the model again: the file is not a valid ONNX model.",
  ERR_MODEL_TOO_LARGE: "Use a model within the limits that docs/LIMITS.md names.",
  ERR_MODEL_EXTERNAL_DATA: "Export the model with its weights inside the file.",
  ERR_MODEL_OPERATOR: "Use only operators that the README of @photinus/training lists.",
  ERR_MODEL_OPSET: "Export the model with an opset between 13 and 23 of the default domain.",
  ERR_MODEL_PARAMETERS: "Submit the job again: its parameter table does not match its model.",
  ERR_MODEL_SHAPE: "Give the model static shapes but for the batch.",
  ERR_DEVICE_UNAVAILABLE: "Choose another device, or install what photinus check reports as missing.",
  ERR_TRAINING_NOT_FINITE: "Lower the learning rate or check the data: the loss is no finite number.",
  ERR_TRAINER_LOST: "The training process ended; look into the log of the site.",
  ERR_DATA_MALFORMED: "Check the data file: it is damaged or not in the format that its name says.",
  ERR_DATA_MISSING: "Put the data of the job into the site's data folder.",
};

/** True for a code of {@link TrainingError}: one that comes from a worker is checked before it is believed. */
export function isTrainingErrorCode(code: unknown): code is TrainingErrorCode {
  return typeof code === "string" && Object.hasOwn(TRAINING_ERRORS, code);
}

/** A fault of models, differentiation and training. */
export class TrainingError extends PhotinusError<TrainingErrorCode> {}
