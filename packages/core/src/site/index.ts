export { backOffMs } from "./back-off.ts";
export { BlobInbox, type BlobInboxModules, type OpenedBlob } from "./blob-inbox.ts";
export { type KeptKind, memoryParameters, type ParameterStore } from "./local/index.ts";
export type {
  JobDecision,
  JobProposal,
  OfferedJob,
  ProposedScope,
  SiteLimits,
  SiteModules,
  SiteOptions,
} from "./options.ts";
export {
  DEFAULT_RESOURCES_DOCUMENT,
  type GrantedResources,
  NO_RESOURCES,
  type ResourceSettings,
  type ResourceSource,
  resourceSettingsSchema,
  type UnusableResources,
} from "./resources/index.ts";
export { Site } from "./site.ts";
export type {
  AppliedFilterStatus,
  OutgoingContribution,
  OutgoingPrivacy,
  OutgoingTensor,
  PrivacySpent,
  SiteActivity,
  SiteJobStatus,
  SiteStatus,
} from "./status.ts";
export { type TaskSeedFacts, taskSeed } from "./task-seed.ts";
export type {
  DeclinedDevice,
  PreparedTrainer,
  Trainer,
  TrainerEvaluation,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainProgress,
  TrainRequest,
} from "./trainer.ts";
