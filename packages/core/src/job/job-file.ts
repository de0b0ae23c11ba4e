import type { JobDefinition } from "./definition.ts";

/** What a person writes of a job: its definition, and where the model is. */
export interface JobFile extends JobDefinition {
  /** Path of the ONNX file, from the folder of the job's own file. */
  readonly model: string;
}

/** Fields of a job's file that may be left out, with their values. */
export interface JobFileDefaults
  extends Pick<JobDefinition, "purpose" | "seed" | "chunkBytes" | "maximumExamples"> {
  /** Of the workflow. */
  readonly workflow: Pick<JobDefinition["workflow"], "name" | "roundTimeoutMs" | "waitForSitesMs">;
  /** Of the training. */
  readonly training: Pick<JobDefinition["training"], "localEpochs">;
}

/** What counts where a job's file says nothing. */
export const JOB_FILE_DEFAULTS: JobFileDefaults = {
  purpose: "",
  workflow: { name: "fedavg", roundTimeoutMs: 1_800_000, waitForSitesMs: 3_600_000 },
  training: { localEpochs: 1 },
  seed: 1,
  chunkBytes: 262_144,
  maximumExamples: 1_000_000_000,
};
