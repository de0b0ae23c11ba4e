import {
  administrationQuery,
  type BlobReference,
  blobRequest,
  certificateList,
  commandDone,
  contribution,
  contributionCommitted,
  contributionReceived,
  contributionRefused,
  evaluationResult,
  inviteList,
  type JobView,
  jobAbort,
  jobAccept,
  jobDecline,
  jobEnded,
  jobGraph,
  jobReady,
  jobSubmit,
  jobSubmitted,
  type MessageDefinition,
  observation,
  observe,
  renewalRequest,
  renewed,
  requestFailed,
  requestList,
  resultModel,
  resultRequest,
  siteReady,
  task,
  taskFailed,
  taskProgress,
} from "../../src/message/index.ts";
import type { StreamManifest } from "../../src/stream/index.ts";

const jobId = "0123456789abcdef0123456789abcdef";
const taskId = "fedcba9876543210fedcba9876543210";
const filled = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);
const blob: BlobReference = { root: filled(32, 1), key: filled(32, 2) };
const manifest: StreamManifest = {
  streamId: filled(16, 3),
  chunkBytes: 65_536,
  totalBytes: 100_000,
  leaves: filled(64, 4),
  root: filled(32, 5),
};
const tensors = [{ name: "weight", dtype: "f32", shape: [100, 250], offset: 0 }] as const;
const evaluation = { loss: 0.5, accuracy: 0.875, exampleCount: 16 };

/** A full view: every optional field is there. */
export const jobView: JobView = {
  jobId,
  name: "digits",
  purpose: "Reads digits.",
  state: "running",
  reason: "",
  rounds: 10,
  minimumSites: 2,
  startedAtMs: 1_782_864_000_000,
  endedAtMs: 1_782_864_009_000,
  modelBytes: 100_000,
  initialEvaluation: evaluation,
  sites: [
    {
      name: "site-1",
      org: "example",
      runtime: "node",
      device: "cpu",
      phase: "training",
      progress: 0.25,
      cause: "",
      trainingExamples: 100,
      heldOutExamples: 16,
      accepted: 1,
      bytesDown: 1000,
      bytesUp: 900,
    },
  ],
  history: [
    {
      round: 1,
      startedAtMs: 1_782_864_001_000,
      endedAtMs: 1_782_864_002_000,
      contributions: [
        {
          site: "site-1",
          outcome: "accepted",
          cause: "",
          exampleCount: 100,
          trainingLoss: 0.75,
          norm: 1.5,
          milliseconds: 800,
        },
      ],
      trainingLoss: 0.75,
      evaluation,
      bytesDown: 1000,
      bytesUp: 900,
    },
  ],
};

const pair = <Body>(
  definition: MessageDefinition<Body>,
  body: Body,
): readonly [MessageDefinition<unknown>, unknown] => [definition, body];

/** One body of each message kind, with every optional field. */
export const SAMPLES: readonly (readonly [MessageDefinition<unknown>, unknown])[] = [
  pair(siteReady, {
    runtime: "browser",
    dataNames: ["digits"],
    preparedJobs: [jobId],
    heldUpdates: [{ jobId, taskId }],
  }),
  pair(jobAccept, { jobId, terms: "2026-11" }),
  pair(jobDecline, { jobId, reason: "no" }),
  pair(jobReady, { jobId, device: "cpu", trainingExamples: 100, heldOutExamples: 16 }),
  pair(blobRequest, { jobId, root: filled(32, 1) }),
  pair(jobGraph, { jobId, graph: blob }),
  pair(task, { jobId, taskId, kind: "train", round: 1, version: 0, model: blob, timeoutMs: 60_000 }),
  pair(taskProgress, { jobId, taskId, phase: "training", progress: 0.5 }),
  pair(contribution, {
    jobId,
    taskId,
    baseVersion: 0,
    exampleCount: 100,
    trainingLoss: 0.75,
    steps: 20,
    norm: 1.5,
    manifest,
    tensors,
    evaluation,
  }),
  pair(evaluationResult, { jobId, taskId, evaluation }),
  pair(taskFailed, { jobId, taskId, code: "ERR_TASK_FAILED", detail: "no memory" }),
  pair(contributionReceived, { jobId, taskId, root: filled(32, 5) }),
  pair(contributionCommitted, { jobId, taskId, root: filled(32, 5), version: 1 }),
  pair(contributionRefused, { jobId, taskId, code: "ERR_CONTRIBUTION_LATE", detail: "late" }),
  pair(jobEnded, { jobId, state: "finished", reason: "rounds done" }),
  pair(jobSubmit, { jobId, graph: manifest, parameters: manifest, submitToken: "run-1" }),
  pair(jobSubmitted, { jobId }),
  pair(observe, { jobId, fromSequence: 7 }),
  pair(observation, { jobId, observation: { kind: "snapshot", sequence: 7, job: jobView } }),
  pair(jobAbort, { jobId }),
  pair(resultRequest, { jobId }),
  pair(resultModel, { jobId, version: 10, model: blob, tensors }),
  pair(requestFailed, { code: "ERR_FORBIDDEN", detail: "role member may not submit jobs" }),
  pair(administrationQuery, { kind: "invites", after: "0a" }),
  pair(inviteList, {
    entries: [
      {
        codeDigest: filled(32, 6),
        org: "clinic",
        names: "guest",
        isOneName: false,
        uses: 5,
        used: 2,
        expiresAtMs: 1_782_864_000_000,
        by: "admin@example.org",
        isWithdrawn: false,
      },
    ],
    next: "0a",
  }),
  pair(requestList, {
    entries: [
      {
        keyDigest: filled(32, 7),
        name: "lab-7",
        org: "clinic",
        requestedAtMs: 1_782_864_000_000,
        from: "192.0.2.7",
        state: "pending",
        approvedBy: ["admin@example.org"],
        approvalsNeeded: 2,
      },
    ],
    next: "0a",
  }),
  pair(certificateList, {
    entries: [
      {
        leaf: filled(32, 8),
        name: "guest-1",
        org: "clinic",
        role: "site",
        issuer: "enrolment",
        notAfterMs: 1_782_864_000_000,
        isConnected: true,
        state: "suspended",
        reason: "lost laptop",
        untilMs: 1_782_864_000_000,
      },
    ],
    next: "0a",
  }),
  pair(commandDone, { detail: "approved" }),
  pair(renewalRequest, { leaf: filled(32, 8) }),
  pair(renewed, { chain: [filled(8, 9), filled(8, 10)] }),
];
