import {
  administrationQuery,
  certificateList,
  commandDone,
  inviteList,
  renewalRequest,
  renewed,
  requestList,
} from "./administration.ts";
import { auditBehind } from "./audit-head.ts";
import { blobRequest, jobGraph } from "./blob.ts";
import { jobClone, jobSource, jobSourceRequest } from "./clone.ts";
import type { MessageDefinition } from "./definition.ts";
import { graphRequest, jobList, jobQuery } from "./job-list.ts";
import { observation, observe } from "./observe.ts";
import { contributionCommitted, contributionReceived, contributionRefused, jobEnded } from "./receipt.ts";
import { jobPostpone, resourceAnswer, resourceCancel, resourceCheck } from "./resource.ts";
import { jobAccept, jobDecline, jobReady, siteReady } from "./site.ts";
import { jobAbort, jobSubmit, jobSubmitted, requestFailed, resultModel, resultRequest } from "./submit.ts";
import { contribution, evaluationResult, task, taskFailed, taskProgress } from "./task.ts";

/** The type ids 1 to 19 belong to the session layer. */
export const FIRST_MESSAGE_TYPE = 20;

/** Every message kind of sites, users and server, by its type id, which is never reused. */
export const MESSAGES: ReadonlyMap<number, MessageDefinition<unknown>> = new Map(
  [
    siteReady,
    jobAccept,
    jobDecline,
    jobReady,
    blobRequest,
    jobGraph,
    task,
    taskProgress,
    contribution,
    evaluationResult,
    taskFailed,
    contributionReceived,
    contributionCommitted,
    contributionRefused,
    jobEnded,
    jobSubmit,
    jobSubmitted,
    observe,
    observation,
    jobAbort,
    resultRequest,
    resultModel,
    requestFailed,
    administrationQuery,
    inviteList,
    requestList,
    certificateList,
    commandDone,
    renewalRequest,
    renewed,
    jobSourceRequest,
    jobSource,
    jobClone,
    jobQuery,
    jobList,
    graphRequest,
    auditBehind,
    resourceCheck,
    resourceAnswer,
    resourceCancel,
    jobPostpone,
  ].map((definition) => [definition.type, definition]),
);
