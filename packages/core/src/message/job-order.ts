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

const JobAbortOrderSchema = v.strictObject({ jobId, reason: textOf(0, MAX_REASON_LENGTH) });

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseJobAbortOrder(value: unknown): JobAbortOrder {
  return parseAs<JobAbortOrder>("job-abort-order", JobAbortOrderSchema, value);
}
