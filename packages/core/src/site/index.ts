export type { JobDecision, JobProposal, SiteLimits, SiteModules, SiteOptions } from "./options.ts";
export type {
  OutgoingContribution,
  OutgoingTensor,
  SiteActivity,
  SiteJobStatus,
  SiteStatus,
} from "./status.ts";
export type {
  PreparedTrainer,
  Trainer,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainProgress,
  TrainRequest,
} from "./trainer.ts";
