import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { bytesUpTo, jobId, textOf, USER_ROLES } from "./fields.ts";

/** Largest job OBJECT that is told: with its chain it fits into one message. */
export const MAX_SOURCE_BYTES = 1_000_000;

/** Body of {@link jobSourceRequest}. */
export interface JobSourceRequest {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
}

/** A user asks what was signed of a job that he may clone. Answered by {@link jobSource}. */
export const jobSourceRequest: MessageDefinition<JobSourceRequest> = defineMessage(
  { type: 67, name: "job-source-request", signed: true, from: USER_ROLES },
  v.strictObject({ jobId }),
);

/** Body of {@link jobSource}. */
export interface JobSource {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** The job OBJECT as its submitter signed it, to be verified before it is believed. */
  readonly object: Bytes;
  /** Certificates of the submitter, DER, leaf first, without the root. */
  readonly chain: readonly Bytes[];
}

/** What the submitter of a job signed. */
export const jobSource: MessageDefinition<JobSource> = defineMessage(
  { type: 68, name: "job-source", signed: true, from: ["server"] },
  v.strictObject({
    jobId,
    object: bytesUpTo(MAX_SOURCE_BYTES),
    chain: v.pipe(v.array(bytesUpTo(8192)), v.minLength(1), v.maxLength(4)),
  }),
);

/** Body of {@link jobClone}. */
export interface JobClone {
  /** Id of the job OBJECT of the clone, sent before on the same session. */
  readonly jobId: string;
  /** Makes a retried clone safe: the same user's same token is the same job. At most 128 characters. */
  readonly submitToken?: string;
}

/**
 * A user hands in a job that he cloned: the server has graph and parameters of the job that its object names. Answered by
 * *job-submitted*.
 */
export const jobClone: MessageDefinition<JobClone> = defineMessage(
  { type: 69, name: "job-clone", signed: true, from: USER_ROLES },
  v.strictObject({ jobId, submitToken: v.exactOptional(textOf(1, 128)) }),
);
