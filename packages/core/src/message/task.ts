import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import type { StreamManifest } from "../stream/index.ts";
import type { TensorEntry } from "../tensor/index.ts";
import { type BlobReference, blobReference } from "./blob.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import {
  bytesUpTo,
  errorCode,
  finite,
  finiteNotNegative,
  integerIn,
  jobId,
  manifest,
  meanLoss,
  round,
  taskId,
  tensorTable,
  textOf,
} from "./fields.ts";

/** Body of {@link task}. */
export interface Task {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** What to do with the model. */
  readonly kind: "train" | "evaluate";
  /** 1, 2, 3, ... */
  readonly round: number;
  /** Model version to start from. */
  readonly version: number;
  /** Where the model is and the key that opens it. */
  readonly model: BlobReference;
  /** Where the server's control variate is, for SCAFFOLD; absent where it is zero. */
  readonly control?: BlobReference;
  /** The answer counts when it arrives this many ms after the task was sent. */
  readonly timeoutMs: number;
}

/** What a site is to do with a model version. */
export const task: MessageDefinition<Task> = defineMessage(
  { type: 26, name: "task", signed: true, from: ["server"] },
  v.strictObject({
    jobId,
    taskId,
    kind: v.picklist(["train", "evaluate"]),
    round,
    version: integerIn(0, 100_000),
    model: blobReference,
    control: v.exactOptional(blobReference),
    timeoutMs: integerIn(1, 2 ** 31),
  }),
);

/** Body of {@link taskProgress}. */
export interface TaskProgress {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** What the site is doing. */
  readonly phase: "evaluating" | "training" | "uploading";
  /** In [0, 1]. */
  readonly progress: number;
}

/** How far a site is with its task: a few times per second at most. */
export const taskProgress: MessageDefinition<TaskProgress> = defineMessage(
  { type: 27, name: "task-progress", signed: false, from: ["site"] },
  v.strictObject({
    jobId,
    taskId,
    phase: v.picklist(["evaluating", "training", "uploading"]),
    progress: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  }),
);

/** Sums of the metrics of a job: eight of 4 096 numbers. */
const MAX_METRIC_SUM_BYTES = 262_144;

/** What a site measured on its held-out examples. */
export interface SiteEvaluation {
  /** Mean loss per example. */
  readonly loss: number;
  /** In [0, 1]. */
  readonly accuracy: number;
  /** Held-out examples, at least 1. */
  readonly exampleCount: number;
  /** Sums of the job's metrics behind one another, f64 little-endian; absent where the job has none. */
  readonly sums?: Bytes;
}

const evaluation: v.GenericSchema<unknown, SiteEvaluation> = v.strictObject({
  loss: meanLoss,
  accuracy: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  exampleCount: integerIn(1, 2 ** 48),
  sums: v.exactOptional(bytesUpTo(MAX_METRIC_SUM_BYTES)),
});

/** Body of {@link contribution}. */
export interface ContributionBody {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** Model version that the update starts from. */
  readonly baseVersion: number;
  /** Distinct examples trained on. Its plausibility is the coordinator's to judge, so that the cause is told. */
  readonly exampleCount: number;
  /** Mean training loss over all steps; absent when the site does not tell it. */
  readonly trainingLoss?: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** L2 norm of the update as sent; the server refuses one that it measures larger. */
  readonly norm: number;
  /** The chunks that follow. */
  readonly manifest: StreamManifest;
  /** Where the tensors lie in them. */
  readonly tensors: readonly TensorEntry[];
  /** The received model on the site's held-out examples; absent when it has none, or does not tell. */
  readonly evaluation?: SiteEvaluation;
}

/** A site's result of a `train` task; its chunks follow under credit. */
export const contribution: MessageDefinition<ContributionBody> = defineMessage(
  { type: 28, name: "contribution", signed: true, from: ["site"] },
  v.strictObject({
    jobId,
    taskId,
    baseVersion: integerIn(0, 100_000),
    exampleCount: finite,
    trainingLoss: v.exactOptional(meanLoss),
    steps: integerIn(0, 2 ** 48),
    norm: finiteNotNegative,
    manifest,
    tensors: tensorTable,
    evaluation: v.exactOptional(evaluation),
  }),
);

/** Body of {@link evaluationResult}. */
export interface EvaluationResult {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Id of the task: 32 hexadecimal digits. */
  readonly taskId: string;
  /** Absent when the site has no held-out examples, or does not tell. */
  readonly evaluation?: SiteEvaluation;
}

/** A site's result of an `evaluate` task. */
export const evaluationResult: MessageDefinition<EvaluationResult> = defineMessage(
  { type: 29, name: "evaluation-result", signed: true, from: ["site"] },
  v.strictObject({ jobId, taskId, evaluation: v.exactOptional(evaluation) }),
);

/** Body of {@link taskFailed}. */
export interface TaskFailed {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Absent when the site could not even prepare the job. */
  readonly taskId?: string;
  /** Error code. */
  readonly code: string;
  /** For people; never data: at most 500 characters. */
  readonly detail: string;
}

/** The site cannot do its task. */
export const taskFailed: MessageDefinition<TaskFailed> = defineMessage(
  { type: 30, name: "task-failed", signed: true, from: ["site"] },
  v.strictObject({ jobId, taskId: v.exactOptional(taskId), code: errorCode, detail: textOf(0, 500) }),
);
