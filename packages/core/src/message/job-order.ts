import * as v from "valibot";
import { MAX_REASON_LENGTH } from "./administration-objects.ts";
import { parseAs } from "./define.ts";
import { jobId, textOf } from "./fields.ts";

/** Payload of an OBJECT by which a user ends a job, at the server and at each site. */
export interface JobAbortOrder {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Why, for people; may be empty. */
  readonly reason: string;
}

/** Payload of an OBJECT by which a user has the server delete a job that has ended. */
export interface JobDeletionOrder {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Why, for people; may be empty. */
  readonly reason: string;
}

const OrderSchema = v.strictObject({ jobId, reason: textOf(0, MAX_REASON_LENGTH) });

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseJobAbortOrder(value: unknown): JobAbortOrder {
  return parseAs<JobAbortOrder>("job-abort-order", OrderSchema, value);
}

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseJobDeletionOrder(value: unknown): JobDeletionOrder {
  return parseAs<JobDeletionOrder>("job-deletion-order", OrderSchema, value);
}
