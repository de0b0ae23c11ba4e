import { dirname, resolve } from "node:path";
import { JobError, TrainingError } from "@photinus/core/errors";
import { JOB_FILE_DEFAULTS, type JobBundle, jobFileSchema } from "@photinus/core/job";
import { makeJob } from "@photinus/training";
import { readModelFile } from "../read-model-file.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault, type PositionedDocument } from "../yaml/positioned-document.ts";
import { readDocument } from "../yaml/read-document.ts";
import { withDefaults } from "./with-defaults.ts";

/** A job as its file says. */
export interface ReadJob {
  /** Can be signed and handed in. */
  readonly bundle: JobBundle;
  /** Path of the ONNX file. */
  readonly modelPath: string;
  /** Sizes that the model only names: each site's data sets them. */
  readonly openDimensions: readonly string[];
  /** Where a field stands in the file, as `file:line:column`. */
  readonly at: (path: readonly (string | number)[]) => string;
}

/**
 * Reads `job.yaml` and its model.
 *
 * @throws JobError `ERR_JOB_INVALID` and TrainingError of the model, both with file, line and column; HostError
 *   `ERR_CONFIG_INVALID` for a file that cannot be read
 */
export async function readJob(file: string): Promise<ReadJob> {
  try {
    const document = await readDocument(file);
    const { model, ...definition } = checkDocument(defaulted(document), jobFileSchema);
    const modelPath = resolve(dirname(file), model);
    const bytes = await readModelFile(modelPath);
    const { bundle, openDimensions } = located(document.at(["model"]), () => makeJob(bytes, definition));
    return { bundle, modelPath, openDimensions, at: (path) => document.at(path) };
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new JobError("ERR_JOB_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
}

function defaulted(document: PositionedDocument): PositionedDocument {
  return { ...document, value: withDefaults(document.value, JOB_FILE_DEFAULTS) };
}

function located<T>(place: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof TrainingError)) throw cause;
    throw new TrainingError(cause.code, `${place} model: ${cause.message}`, { cause });
  }
}
