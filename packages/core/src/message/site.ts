import * as v from "valibot";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { integerIn, jobId, plainName, taskId, textOf } from "./fields.ts";

/** Body of {@link siteReady}: what a site says of itself after each connect. */
export interface SiteReady {
  /** What the site says it runs in. */
  readonly runtime: "node" | "browser";
  /** Data sets that it has: at most 256. */
  readonly dataNames: readonly string[];
  /** Jobs that it holds prepared from an earlier session: they need no graph again. */
  readonly preparedJobs: readonly string[];
  /** Updates that it keeps because it saw no COMMITTED. */
  readonly heldUpdates: readonly HeldUpdate[];
}

/** An update that a site keeps for a server that may ask again. */
export interface HeldUpdate {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
}

/** A site is there and says what it can do. */
export const siteReady: MessageDefinition<SiteReady> = defineMessage(
  { type: 20, name: "site-ready", signed: false, from: ["site"] },
  v.strictObject({
    runtime: v.picklist(["node", "browser"]),
    dataNames: v.pipe(v.array(plainName), v.maxLength(256)),
    preparedJobs: v.pipe(v.array(jobId), v.maxLength(256)),
    heldUpdates: v.pipe(v.array(v.strictObject({ jobId, taskId })), v.maxLength(256)),
  }),
);

/** Body of {@link jobAccept}. */
export interface JobAccept {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Version of the text that a person agreed to; empty when a policy of the site decided. At most 64 characters. */
  readonly terms: string;
}

/** The site takes part: its signed consent to this job. */
export const jobAccept: MessageDefinition<JobAccept> = defineMessage(
  { type: 21, name: "job-accept", signed: true, from: ["site"] },
  v.strictObject({ jobId, terms: textOf(0, 64) }),
);

/** Body of {@link jobDecline}. */
export interface JobDecline {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** For people: at most 500 characters. */
  readonly reason: string;
}

/** The site does not take part. */
export const jobDecline: MessageDefinition<JobDecline> = defineMessage(
  { type: 22, name: "job-decline", signed: true, from: ["site"] },
  v.strictObject({ jobId, reason: textOf(0, 500) }),
);

/** Body of {@link jobReady}: what the site's trainer says after it prepared the job. */
export interface JobReady {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Execution provider, e.g. "cpu". */
  readonly device: string;
  /** Examples that local training draws from. */
  readonly trainingExamples: number;
  /** Held-out examples that evaluation uses; 0 when there are none. */
  readonly heldOutExamples: number;
}

/** The site has the graph, its trainer is prepared: tasks may come. */
export const jobReady: MessageDefinition<JobReady> = defineMessage(
  { type: 23, name: "job-ready", signed: false, from: ["site"] },
  v.strictObject({
    jobId,
    device: plainName,
    trainingExamples: integerIn(0, 2 ** 48),
    heldOutExamples: integerIn(0, 2 ** 48),
  }),
);
