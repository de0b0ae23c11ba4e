import * as v from "valibot";
import type { StreamManifest } from "../stream/index.ts";
import type { TensorEntry } from "../tensor/index.ts";
import { type BlobReference, blobReference, type HeldBlob, heldBlob } from "./blob.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { errorCode, integerIn, jobId, manifest, tensorTable, textOf, USER_ROLES } from "./fields.ts";

/** Body of {@link jobSubmit}. */
export interface JobSubmit {
  /** Id of the job OBJECT, sent before on the same session. */
  readonly jobId: string;
  /** The graph that follows as a stream; its SHA-256 stands in the job. */
  readonly graph: StreamManifest;
  /** The initial parameters that follow as a stream; their SHA-256 stands in the job. */
  readonly parameters: StreamManifest;
  /** Makes a retried submit safe: the same user's same token is the same job. At most 128 characters. */
  readonly submitToken?: string;
}

/** A user hands in a job; graph and initial parameters follow under credit. */
export const jobSubmit: MessageDefinition<JobSubmit> = defineMessage(
  { type: 35, name: "job-submit", signed: true, from: USER_ROLES },
  v.strictObject({
    jobId,
    graph: manifest,
    parameters: manifest,
    submitToken: v.exactOptional(textOf(1, 128)),
  }),
);

/** Body of {@link jobSubmitted}. */
export interface JobSubmitted {
  /** The job; another than the submitted one when the submit token was known. */
  readonly jobId: string;
}

/** The job is durable and waits for its sites. Answers {@link jobSubmit}. */
export const jobSubmitted: MessageDefinition<JobSubmitted> = defineMessage(
  { type: 36, name: "job-submitted", signed: true, from: ["server"] },
  v.strictObject({ jobId }),
);

/** Body of {@link jobAbort}. */
export interface JobAbort {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
}

/** A user ends a job. Answered by {@link jobEnded}. */
export const jobAbort: MessageDefinition<JobAbort> = defineMessage(
  { type: 39, name: "job-abort", signed: true, from: USER_ROLES },
  v.strictObject({ jobId }),
);

/** Body of {@link resultRequest}. */
export interface ResultRequest {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What an earlier session brought of it: if that is the newest version still, only the rest comes. Absent: nothing. */
  readonly held?: HeldBlob;
  /** The round that made it, 0 for the model as submitted, or the best so far. Absent: the newest. */
  readonly version?: number | "best";
}

/** A user asks for a model version of a job, the newest where it names none. Answered by {@link resultModel}. */
export const resultRequest: MessageDefinition<ResultRequest> = defineMessage(
  { type: 40, name: "result-request", signed: true, from: USER_ROLES },
  v.strictObject({
    jobId,
    held: v.exactOptional(heldBlob),
    version: v.exactOptional(v.union([integerIn(0, 100_000), v.literal("best")])),
  }),
);

/** Body of {@link resultModel}. */
export interface ResultModel {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** 0 for the model as submitted, else the round that made it. */
  readonly version: number;
  /** Opens the sealed blob whose publication and chunks follow. */
  readonly model: BlobReference;
  /** The tensor table of the stream. */
  readonly tensors: readonly TensorEntry[];
}

/** Where the asked model is. */
export const resultModel: MessageDefinition<ResultModel> = defineMessage(
  { type: 41, name: "result-model", signed: true, from: ["server"] },
  v.strictObject({ jobId, version: integerIn(0, 100_000), model: blobReference, tensors: tensorTable }),
);

/** Body of {@link requestFailed}. */
export interface RequestFailed {
  /** Error code. */
  readonly code: string;
  /** For people: at most 500 characters. */
  readonly detail: string;
}

/** The request of a user that this answers cannot be met. */
export const requestFailed: MessageDefinition<RequestFailed> = defineMessage(
  { type: 42, name: "request-failed", signed: true, from: ["server"] },
  v.strictObject({ code: errorCode, detail: textOf(0, 500) }),
);
