import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { bytesOf, errorCode, integerIn, jobId, taskId, textOf } from "./fields.ts";

/** Body of {@link contributionReceived}. */
export interface ContributionReceived {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** Root of the stream that was verified; absent for an evaluation. */
  readonly root?: Bytes;
}

/** RECEIVED: verified and in memory. The site keeps its update. */
export const contributionReceived: MessageDefinition<ContributionReceived> = defineMessage(
  { type: 31, name: "contribution-received", signed: false, from: ["server"] },
  v.strictObject({ jobId, taskId, root: v.exactOptional(bytesOf(32)) }),
);

/** Body of {@link contributionCommitted}. */
export interface ContributionCommitted {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** Root of the stream that counted. */
  readonly root: Bytes;
  /** Model version that it is part of. */
  readonly version: number;
}

/** COMMITTED: the round's checkpoint is durable. The signed receipt is the site's proof; it may drop its update. */
export const contributionCommitted: MessageDefinition<ContributionCommitted> = defineMessage(
  { type: 32, name: "contribution-committed", signed: true, from: ["server"] },
  v.strictObject({ jobId, taskId, root: bytesOf(32), version: integerIn(1, 100_000) }),
);

/** Body of {@link contributionRefused}. */
export interface ContributionRefused {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** The one cause. */
  readonly code: string;
  /** For people: at most 500 characters. */
  readonly detail: string;
}

/** The answer to a task does not count. The site drops its update. */
export const contributionRefused: MessageDefinition<ContributionRefused> = defineMessage(
  { type: 33, name: "contribution-refused", signed: true, from: ["server"] },
  v.strictObject({ jobId, taskId, code: errorCode, detail: textOf(0, 500) }),
);

/** Body of {@link jobEnded}. */
export interface JobEnded {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** How it ended. */
  readonly state: "finished" | "failed" | "aborted";
  /** Error code, or "rounds done". */
  readonly reason: string;
}

/** The job has ended: sites stop their tasks and free their trainers. */
export const jobEnded: MessageDefinition<JobEnded> = defineMessage(
  { type: 34, name: "job-ended", signed: true, from: ["server"] },
  v.strictObject({ jobId, state: v.picklist(["finished", "failed", "aborted"]), reason: textOf(0, 100) }),
);
