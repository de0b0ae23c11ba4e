import * as v from "valibot";
import { heldBlob } from "./blob.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { integerIn, jobId, plainName, textOf, USER_ROLES } from "./fields.ts";
import { cursor, type Listed, listOf, MAX_LISTED } from "./listed.ts";
import type { JobState } from "./observation.ts";
import { jobState } from "./observe.ts";
import type { ResultRequest } from "./submit.ts";

/** Body of {@link jobQuery}. */
export interface JobQuery {
  /** Most entries of the answer: 1 to 200. */
  readonly most: number;
  /** Cursor of the list before; absent for the first. */
  readonly after?: string;
  /** Of this study alone; absent: of all that the user is in. */
  readonly study?: string;
}

/** A user asks which jobs there are: those that he may view, the newest first. Answered by {@link jobList}. */
export const jobQuery: MessageDefinition<JobQuery> = defineMessage(
  { type: 96, name: "job-query", signed: true, from: USER_ROLES },
  v.strictObject({
    most: integerIn(1, MAX_LISTED),
    after: v.exactOptional(cursor),
    study: v.exactOptional(plainName),
  }),
);

/** A job as users see it in a list. */
export interface ListedJob {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Title for people. */
  readonly name: string;
  /** Where it stands. */
  readonly state: JobState;
  /** Why it ended: error code or "rounds done"; empty while it has not. */
  readonly reason: string;
  /** Name in the certificate of who submitted it. */
  readonly submitter: string;
  /** Organization in that certificate. */
  readonly org: string;
  /** Milliseconds since 1970. */
  readonly submittedAtMs: number;
  /** Milliseconds since 1970; absent until the end. */
  readonly endedAtMs?: number;
  /** Id of the job that it was cloned from; absent of a job that is no clone. */
  readonly clonedFrom?: string;
  /** Study that it belongs to; absent where the project has none. */
  readonly study?: string;
}

const timeMs = integerIn(0, Number.MAX_SAFE_INTEGER);

/** Jobs that the user may view, the newest first. */
export const jobList: MessageDefinition<Listed<ListedJob>> = defineMessage(
  { type: 97, name: "job-list", signed: true, from: ["server"] },
  listOf(
    v.strictObject({
      jobId,
      name: textOf(1, 100),
      state: jobState,
      reason: textOf(0, 100),
      submitter: textOf(1, 128),
      org: textOf(0, 63),
      submittedAtMs: timeMs,
      endedAtMs: v.exactOptional(timeMs),
      clonedFrom: v.exactOptional(jobId),
      study: v.exactOptional(plainName),
    }),
  ),
);

/** A user asks for the graph of a job, to put its result into. Answered by *job-graph*; publication and chunks follow. */
export const graphRequest: MessageDefinition<ResultRequest> = defineMessage(
  { type: 98, name: "graph-request", signed: true, from: USER_ROLES },
  v.strictObject({ jobId, held: v.exactOptional(heldBlob) }),
);
