export {
  ADMINISTRATOR_ROLES,
  type AdministrationKind,
  type AdministrationQuery,
  administrationQuery,
  type CommandDone,
  certificateList,
  commandDone,
  inviteList,
  type ListedCertificate,
  type ListedInvite,
  type ListedRequest,
  type RenewalRequest,
  type Renewed,
  renewalRequest,
  renewed,
  requestList,
} from "./administration.ts";
export {
  type CertificateOrder,
  type InviteOrder,
  type InviteWithdrawal,
  MAX_INVITE_USES,
  MAX_REASON_LENGTH,
  parseCertificateOrder,
  parseInviteOrder,
  parseInviteWithdrawal,
  parseRequestDecision,
  type RequestDecision,
} from "./administration-objects.ts";
export {
  type AuditBehind,
  auditBehind,
  MAX_AUDIT_HEAD_BYTES,
  parseSignedAuditHead,
  type SignedAuditHead,
} from "./audit-head.ts";
export {
  type BlobReference,
  type BlobRequest,
  blobRequest,
  type HeldBlob,
  heldBlob,
  type JobGraph,
  jobGraph,
  type Publication,
  parsePublication,
} from "./blob.ts";
export { FIRST_MESSAGE_TYPE, MESSAGES } from "./catalogue.ts";
export {
  type JobClone,
  type JobSource,
  jobClone,
  jobSource,
  jobSourceRequest,
  MAX_SOURCE_BYTES,
} from "./clone.ts";
export { defineMessage, type MessageTraits, parseAs } from "./define.ts";
export type { MessageDefinition } from "./definition.ts";
export { chunkBitmap, MAX_TENSORS, USER_ROLES } from "./fields.ts";
export {
  graphRequest,
  type JobQuery,
  jobList,
  jobQuery,
  type ListedJob,
} from "./job-list.ts";
export {
  type JobAbortOrder,
  type JobDeletionOrder,
  parseJobAbortOrder,
  parseJobDeletionOrder,
} from "./job-order.ts";
export { type Listed, MAX_LISTED } from "./listed.ts";
export { OBJECT_TYPES } from "./object-type.ts";
export {
  applyObservation,
  type ContributionView,
  hasJobEnded,
  type JobEnd,
  type JobOutcome,
  type JobState,
  type JobView,
  type MeasurementView,
  type MetricsView,
  type MetricView,
  type Observation,
  type ObservationChange,
  type ObservationSource,
  type RoundView,
  type SitePhase,
  type SiteView,
} from "./observation.ts";
export {
  jobEnd,
  MAX_MEASUREMENTS,
  type ObservationBody,
  type Observe,
  observation,
  observe,
  parseJobView,
  parseObservation,
} from "./observe.ts";
export {
  type ContributionCommitted,
  type ContributionReceived,
  type ContributionRefused,
  contributionCommitted,
  contributionReceived,
  contributionRefused,
  type JobEnded,
  jobEnded,
} from "./receipt.ts";
export {
  type JobPostpone,
  jobPostpone,
  type ResourceAnswer,
  type ResourceCancel,
  type ResourceCheck,
  resourceAnswer,
  resourceCancel,
  resourceCheck,
} from "./resource.ts";
export {
  type HeldUpdate,
  type JobAccept,
  type JobDecline,
  type JobReady,
  jobAccept,
  jobDecline,
  jobReady,
  type SiteReady,
  siteReady,
} from "./site.ts";
export {
  type JobAbort,
  type JobSubmit,
  type JobSubmitted,
  jobAbort,
  jobSubmit,
  jobSubmitted,
  type RequestFailed,
  type ResultModel,
  type ResultRequest,
  requestFailed,
  resultModel,
  resultRequest,
} from "./submit.ts";
export {
  type ContributionBody,
  contribution,
  type EvaluationResult,
  evaluationResult,
  type SiteEvaluation,
  type Task,
  type TaskFailed,
  type TaskProgress,
  task,
  taskFailed,
  taskProgress,
} from "./task.ts";
