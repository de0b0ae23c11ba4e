import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { bytesOf, integerIn, jobId, textOf } from "./fields.ts";

/** Body of {@link resourceCheck}: what the signed job says of this site. */
export interface ResourceCheck {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** GPUs with so much memory on each. */
  readonly gpus?: {
    /** 1 to 64. */
    readonly count: number;
    /** GiB on each. */
    readonly memoryGiB: number;
  };
  /** Units by the name of their list. */
  readonly units?: Readonly<Record<string, number>>;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Before a job is given to sites: has the site what it needs? Answered by {@link resourceAnswer}. FLARE: check_resources. */
export const resourceCheck: MessageDefinition<ResourceCheck> = defineMessage(
  { type: 88, name: "resource-check", signed: false, from: ["server"] },
  v.strictObject({
    jobId,
    gpus: v.exactOptional(
      v.strictObject({
        count: integerIn(1, 64),
        memoryGiB: v.pipe(v.number(), v.gtValue(0), v.maxValue(4096)),
      }),
    ),
    units: v.exactOptional(
      v.pipe(
        v.record(v.pipe(v.string(), v.regex(NAME)), integerIn(1, 10_000)),
        v.check((map) => Object.keys(map).length <= 64, "at most 64 names"),
      ),
    ),
  }),
);

/** Body of {@link resourceAnswer}. */
export interface ResourceAnswer {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** 16 bytes: what the job needs is kept under it for a while; absent when something is missing. */
  readonly token?: Bytes;
  /** What is missing, for people: at most 500 characters; empty when nothing is. */
  readonly lacks: string;
}

/** What a job needs is kept for it, or something is missing. Answers {@link resourceCheck}. */
export const resourceAnswer: MessageDefinition<ResourceAnswer> = defineMessage(
  { type: 89, name: "resource-answer", signed: false, from: ["site"] },
  v.strictObject({ jobId, token: v.exactOptional(bytesOf(16)), lacks: textOf(0, 500) }),
);

/** Body of {@link resourceCancel}. */
export interface ResourceCancel {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Of the {@link resourceAnswer}. */
  readonly token: Bytes;
}

/** The job does not come: other sites lack what it needs. FLARE: cancel_resource. */
export const resourceCancel: MessageDefinition<ResourceCancel> = defineMessage(
  { type: 90, name: "resource-cancel", signed: false, from: ["server"] },
  v.strictObject({ jobId, token: bytesOf(16) }),
);

/** Body of {@link jobPostpone}. */
export interface JobPostpone {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What is missing at present, for people: at most 500 characters. */
  readonly reason: string;
}

/** The site takes no part at present: it works for others, or something is missing. It is offered the job again. */
export const jobPostpone: MessageDefinition<JobPostpone> = defineMessage(
  { type: 91, name: "job-postpone", signed: true, from: ["site"] },
  v.strictObject({ jobId, reason: textOf(0, 500) }),
);
