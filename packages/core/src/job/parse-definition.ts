import * as v from "valibot";
import { AggregationSchema, ServerOptimizerSchema } from "../aggregation/index.ts";
import { JobError } from "../errors/index.ts";
import { filterRegistry, jobFiltersSchema, scopeName } from "../filter/index.ts";
import { type JobDefinition, WORKFLOW_NAMES } from "./definition.ts";
import { DeploymentSchema, RetentionSchema } from "./deployment-schema.ts";
import { feasible } from "./feasibility.ts";
import { studyName, text, whole } from "./fields.ts";
import type { JobFile } from "./job-file.ts";
import { MetricsSchema } from "./metric/job-metrics.ts";
import { ResidencySchema } from "./residency.ts";
import { TrainingSchema } from "./training-schema.ts";

/** A day in ms: the longest wait that a job may ask for. */
const DAY_MS = 86_400_000;

const WorkflowSchema = v.strictObject({
  name: v.picklist(WORKFLOW_NAMES, `one of ${WORKFLOW_NAMES.map((name) => `"${name}"`).join(", ")}`),
  rounds: whole(1, 100_000),
  minimumSites: whole(1, 10_000),
  roundTimeoutMs: whole(1, 7 * DAY_MS),
  waitForSitesMs: whole(0, 7 * DAY_MS),
  serverOptimizer: v.exactOptional(ServerOptimizerSchema),
});

const DEFINITION_FIELDS = {
  name: text(1, 100),
  purpose: text(0, 2000),
  workflow: WorkflowSchema,
  aggregation: v.exactOptional(AggregationSchema),
  training: TrainingSchema,
  scope: v.exactOptional(scopeName),
  filters: v.exactOptional(jobFiltersSchema(filterRegistry())),
  study: v.exactOptional(studyName),
  residency: v.exactOptional(ResidencySchema),
  dataName: v.pipe(
    v.string("text"),
    v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "lower-case letters, digits, dots, hyphens, at most 63"),
  ),
  seed: whole(0, 2 ** 32 - 1),
  chunkBytes: whole(65_536, 1_048_576),
  // The counts of ten thousand sites together are still exact.
  maximumExamples: whole(1, 2 ** 39),
  deployment: v.exactOptional(DeploymentSchema),
  priority: v.exactOptional(whole(0, 9)),
  retention: v.exactOptional(RetentionSchema),
  bestBy: v.exactOptional(v.picklist(["accuracy", "loss"], 'one of "accuracy", "loss"')),
  metrics: v.exactOptional(MetricsSchema),
};

const DefinitionSchema: v.GenericSchema<unknown, JobDefinition> = v.pipe(
  v.strictObject(DEFINITION_FIELDS),
  feasible(),
);

/** Schema of what a person writes: that of a definition from the wire, and the model. */
export const jobFileSchema: v.GenericSchema<unknown, JobFile> = v.pipe(
  v.strictObject({ model: text(1, 4096), ...DEFINITION_FIELDS }),
  feasible(),
);

/** The value of a bad field as people may see it: numbers and short words only. */
function shown(input: unknown): string {
  if (typeof input === "number" || typeof input === "boolean") return ` (got ${input})`;
  if (typeof input === "string" && input.length <= 40) return ` (got ${JSON.stringify(input)})`;
  return "";
}

/**
 * A job definition from a file, a form or the wire.
 * @throws JobError `ERR_JOB_INVALID` naming the first bad field, what it must be and what came
 */
export function parseJobDefinition(value: unknown): JobDefinition {
  const result = v.safeParse(DefinitionSchema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  if (path === null) throw new JobError("ERR_JOB_INVALID", "a job definition is an object with named fields");
  if (issue.type === "check" || issue.type === "raw_check")
    throw new JobError("ERR_JOB_INVALID", `${path}: ${issue.message}`);
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw new JobError("ERR_JOB_INVALID", `${path} is no field of a job`);
  }
  if (issue.input === undefined) throw new JobError("ERR_JOB_INVALID", `${path} must be given`);
  throw new JobError("ERR_JOB_INVALID", `${path} must be ${issue.message}${shown(issue.input)}`);
}
