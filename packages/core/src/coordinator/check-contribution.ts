import type { ErrorCode } from "../errors/index.ts";
import {
  type JobDefinition,
  type MetricDefinition,
  metricSumCount,
  plannedSteps,
  unpackMetricSums,
} from "../job/index.ts";
import type { ContributionBody, SiteEvaluation } from "../message/index.ts";
import type { TensorEntry, TensorLayout } from "../tensor/index.ts";
import type { TaskOrder } from "../workflow/index.ts";

/** What an update must be like to be worth receiving. */
export interface ExpectedContribution {
  readonly definition: JobDefinition;
  readonly layout: TensorLayout;
  readonly order: TaskOrder;
}

/** A cause and what was found. */
export interface ContributionProblem {
  readonly code: ErrorCode;
  /** For people. */
  readonly detail: string;
}

/** Checks what a site says of its update before a byte of it is received. `undefined`: nothing is wrong with it. */
export function checkAnnouncement(
  body: ContributionBody,
  { definition, layout, order }: ExpectedContribution,
): ContributionProblem | undefined {
  if (order.kind !== "train") return { code: "ERR_TASK_UNKNOWN", detail: "the task asked for no update" };
  if (body.baseVersion !== order.model.version) {
    const detail = `the update starts from version ${body.baseVersion}, the task named ${order.model.version}`;
    return { code: "ERR_CONTRIBUTION_VERSION", detail };
  }
  if (!isCount(body.exampleCount, definition.maximumExamples)) {
    const detail = `example count ${body.exampleCount}, expected 1 to ${definition.maximumExamples}`;
    return { code: "ERR_CONTRIBUTION_EXAMPLES", detail };
  }
  const odd = stepsProblem(body, definition) ?? evaluationProblem(body.evaluation, definition);
  if (odd !== undefined) return odd;
  const detail = shapeProblem(body, { definition, layout });
  return detail === undefined ? undefined : { code: "ERR_CONTRIBUTION_SHAPE", detail };
}

/** Where a rule divides by the steps of a site, it may claim no more than the job asks for: the others would go as far. */
function stepsProblem(
  { steps, exampleCount }: ContributionBody,
  { aggregation, training }: JobDefinition,
): ContributionProblem | undefined {
  if (aggregation?.name !== "normalized-mean") return undefined;
  const planned = plannedSteps(training, exampleCount);
  if (isCount(steps, planned)) return undefined;
  return { code: "ERR_CONTRIBUTION_EXAMPLES", detail: `${steps} steps, expected 1 to ${planned}` };
}

/** A site's evaluation weighs by its held-out examples: it may not claim more than the job allows. */
export function evaluationProblem(
  evaluation: SiteEvaluation | undefined,
  { maximumExamples, metrics = [] }: Pick<JobDefinition, "maximumExamples" | "metrics">,
): ContributionProblem | undefined {
  if (evaluation === undefined) return undefined;
  if (isCount(evaluation.exampleCount, maximumExamples)) return sumsProblem(evaluation, metrics);
  const detail = `${evaluation.exampleCount} held-out examples, expected 1 to ${maximumExamples}`;
  return { code: "ERR_CONTRIBUTION_EXAMPLES", detail };
}

/** Where the sums of one site do not fit, those of all sites together would say nothing. */
function sumsProblem(
  { sums }: SiteEvaluation,
  metrics: readonly MetricDefinition[],
): ContributionProblem | undefined {
  if (metrics.length === 0 && sums === undefined) return undefined;
  if (sums !== undefined && unpackMetricSums(sums, metrics) !== undefined) return undefined;
  const detail = `metrics of the job are ${metricSumCount(metrics)} finite sums`;
  return { code: "ERR_CONTRIBUTION_SHAPE", detail };
}

const isCount = (value: number, maximum: number): boolean =>
  Number.isSafeInteger(value) && value >= 1 && value <= maximum;

function shapeProblem(
  { tensors, manifest }: ContributionBody,
  { definition, layout }: Pick<ExpectedContribution, "definition" | "layout">,
): string | undefined {
  if (tensors.length !== layout.tensors.length) {
    return `${tensors.length} tensors, expected ${layout.tensors.length}`;
  }
  const odd = layout.tensors.find((expected, index) => !isSameEntry(expected, tensors[index]));
  if (odd !== undefined)
    return `tensor ${odd.name} must be ${odd.dtype}[${odd.shape.join(",")}] at ${odd.offset}`;
  if (manifest.totalBytes !== layout.byteLength) {
    return `${manifest.totalBytes} bytes, expected ${layout.byteLength}`;
  }
  return manifest.chunkBytes === definition.chunkBytes ? undefined : `chunks of ${manifest.chunkBytes} bytes`;
}

function isSameEntry(expected: TensorEntry, given: TensorEntry | undefined): boolean {
  return (
    given?.name === expected.name &&
    given.dtype === expected.dtype &&
    given.offset === expected.offset &&
    given.shape.length === expected.shape.length &&
    given.shape.every((dimension, axis) => dimension === expected.shape[axis])
  );
}
