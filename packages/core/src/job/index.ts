export {
  type BlobSegment,
  type CheckpointModules,
  CheckpointStore,
  type PublishedForm,
} from "./checkpoint.ts";
export { type CloneSource, type JobChanges, signClone } from "./clone-job.ts";
export type {
  Evaluation,
  JobBundle,
  JobDefinition,
  WorkflowDefinition,
} from "./definition.ts";
export {
  DEFAULT_PRIORITY,
  type DeploymentDefinition,
  isDeployedTo,
  needAt,
  type ResourceNeed,
  type RetentionDefinition,
} from "./deployment.ts";
export { ResourceNeedSchema } from "./deployment-schema.ts";
export { studyName, whole } from "./fields.ts";
export { type DescribedJob, jobFacts, resourceFacts } from "./job-facts.ts";
export { JOB_FILE_DEFAULTS, type JobFile, type JobFileDefaults } from "./job-file.ts";
export {
  CONTROL_PREFIX,
  isPersonal,
  type JobContent,
  type JobPayload,
  layoutOfChange,
  layoutOfControl,
  layoutOfTable,
  layoutOfUpdate,
  parseJobPayload,
  type UpdatedJob,
} from "./job-object.ts";
export {
  type BestModel,
  type JobDeletion,
  type JobRecord,
  JobStore,
  jobCursor,
  requireNotDeleted,
  type StoredModel,
} from "./job-store.ts";
export { localWork, plannedSteps } from "./local-work.ts";
export {
  MAX_METRIC_SUMS,
  type Metric,
  type MetricBatch,
  type MetricDefinition,
  type MetricValue,
  mergeSums,
  metricOf,
  metricProblem,
  metricSumCount,
  metricValues,
  packMetricSums,
  unpackMetricSums,
} from "./metric/index.ts";
export { jobFileSchema, parseJobDefinition } from "./parse-definition.ts";
export { decodeRecord, encodeRecord } from "./record.ts";
export { isWithin, JURISDICTION_PATTERN } from "./residency.ts";
export { type SealJobAbortModules, sealJobAbort, sealJobDeletion } from "./seal-job-order.ts";
export { SEGMENT_BYTES } from "./seal-segments.ts";
export { type SignedJob, type SignJobModules, signJob } from "./sign-job.ts";
export { type JobEvent, nextJobState } from "./state.ts";
export type { StoredBlob } from "./stored-blob.ts";
export type {
  AdagradConstants,
  AdamConstants,
  CrossEntropyOptions,
  DittoDefinition,
  HuberOptions,
  LionConstants,
  LossDefinition,
  LossOptions,
  OptimizerConstants,
  OptimizerDefinition,
  ParameterGroup,
  PersonalDefinition,
  PersonalLayersDefinition,
  RmspropConstants,
  ScheduleDefinition,
  SgdConstants,
  TrainingDefinition,
  WeightDecayOptions,
} from "./training-definition.ts";
export type { TransformDefinition } from "./transform-definition.ts";
