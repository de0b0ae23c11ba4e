import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link JobError}. */
export type JobErrorCode =
  | "ERR_JOB_INVALID"
  | "ERR_JOB_UNKNOWN"
  | "ERR_JOB_DELETED"
  | "ERR_JOB_NOT_ENDED"
  | "ERR_JOB_DECLINED"
  | "ERR_JOB_TOO_FEW_SITES"
  | "ERR_JOB_ABORTED"
  | "ERR_JOB_FAILED"
  | "ERR_TASK_UNKNOWN"
  | "ERR_TASK_FAILED"
  | "ERR_TASK_TIMEOUT"
  | "ERR_CONTRIBUTION_LATE"
  | "ERR_CONTRIBUTION_MISSING"
  | "ERR_CONTRIBUTION_DUPLICATE"
  | "ERR_CONTRIBUTION_SHAPE"
  | "ERR_CONTRIBUTION_NOT_FINITE"
  | "ERR_CONTRIBUTION_EXAMPLES"
  | "ERR_CONTRIBUTION_NORM"
  | "ERR_CONTRIBUTION_VERSION"
  | "ERR_SITE_DISCONNECTED"
  | "ERR_SITE_BUSY"
  | "ERR_WORKFLOW_UNKNOWN"
  | "ERR_WORKFLOW_CHANGED"
  | "ERR_CHECKPOINT_UNREADABLE";

/** What the codes mean, of jobs, tasks and rounds. */
export const JOB_ERRORS: Readonly<Record<JobErrorCode, ErrorHandling>> = {
  ERR_JOB_INVALID: { wire: 4050, action: "reject" },
  ERR_JOB_UNKNOWN: { wire: 4051, action: "reject" },
  ERR_JOB_DELETED: { wire: 4064, action: "reject" },
  ERR_JOB_NOT_ENDED: { wire: 4065, action: "reject" },
  ERR_JOB_DECLINED: { wire: 4052, action: "reject" },
  ERR_JOB_TOO_FEW_SITES: { action: "stop" },
  ERR_JOB_ABORTED: { action: "stop" },
  ERR_JOB_FAILED: { action: "stop" },
  ERR_TASK_UNKNOWN: { wire: 4053, action: "reject" },
  ERR_TASK_FAILED: { wire: 4054, action: "reject" },
  ERR_TASK_TIMEOUT: { wire: 4055, action: "reject" },
  ERR_CONTRIBUTION_LATE: { wire: 4056, action: "reject" },
  ERR_CONTRIBUTION_MISSING: { action: "reject" },
  ERR_CONTRIBUTION_DUPLICATE: { wire: 4057, action: "reject" },
  ERR_CONTRIBUTION_SHAPE: { wire: 4058, action: "reject" },
  ERR_CONTRIBUTION_NOT_FINITE: { wire: 4059, action: "reject" },
  ERR_CONTRIBUTION_EXAMPLES: { wire: 4060, action: "reject" },
  ERR_CONTRIBUTION_NORM: { wire: 4062, action: "reject" },
  ERR_CONTRIBUTION_VERSION: { wire: 4063, action: "reject" },
  ERR_SITE_DISCONNECTED: { action: "reject" },
  ERR_SITE_BUSY: { action: "reject" },
  ERR_WORKFLOW_UNKNOWN: { wire: 4061, action: "reject" },
  ERR_WORKFLOW_CHANGED: { action: "stop" },
  ERR_CHECKPOINT_UNREADABLE: { action: "stop" },
};

/** What a person does about them. */
export const JOB_REMEDIES: Readonly<Record<JobErrorCode, string>> = {
  ERR_JOB_INVALID: "Correct the named field of the job; `photinus job schema` lists all fields.",
  ERR_JOB_UNKNOWN: "Check the job id.",
  ERR_JOB_DELETED: "Submit the job anew: what was kept of it is gone, and nothing counts for it any more.",
  ERR_JOB_NOT_ENDED: "Abort the job first, or wait for its end.",
  ERR_JOB_DECLINED: "Ask the site why it declines this job.",
  ERR_JOB_TOO_FEW_SITES: "Start more sites, or lower minimumSites of the job.",
  ERR_JOB_ABORTED: "Submit the job again if it was not meant to end.",
  ERR_JOB_FAILED: "Look into the log of the server; the job can be submitted again.",
  ERR_TASK_UNKNOWN: "Wait for the next task: this one has ended or was never given to this site.",
  ERR_TASK_FAILED: "Look into the log of the site.",
  ERR_TASK_TIMEOUT: "Give rounds more time, or use a faster device.",
  ERR_CONTRIBUTION_LATE: "Give rounds more time, or use a faster device.",
  ERR_CONTRIBUTION_MISSING:
    "Look into the log of the site: it was given the task and did not answer in time.",
  ERR_CONTRIBUTION_DUPLICATE: "Send one contribution per task.",
  ERR_CONTRIBUTION_SHAPE:
    "Train the model of the job: names, dtypes and shapes must be those of its parameter table.",
  ERR_CONTRIBUTION_NOT_FINITE:
    "Lower the learning rate or check the data: the update holds NaN or infinite values.",
  ERR_CONTRIBUTION_EXAMPLES: "Report an example count between 1 and the limit of the job.",
  ERR_CONTRIBUTION_NORM: "Declare the L2 norm of the update as it is sent: the measured one is larger.",
  ERR_CONTRIBUTION_VERSION: "Start from the model version that the task names.",
  ERR_SITE_DISCONNECTED: "Check the connection of the site; it joins again by itself.",
  ERR_SITE_BUSY:
    "Wait: the site takes part when it has a place and what the job needs, or change its resources.json.",
  ERR_WORKFLOW_UNKNOWN: "Use a workflow that the server registers.",
  ERR_WORKFLOW_CHANGED: "Submit the job again: it was started by another version of its workflow.",
  ERR_CHECKPOINT_UNREADABLE: "Restore the checkpoint and its storage key from a backup.",
};

/** A fault of jobs, tasks and rounds. */
export class JobError extends PhotinusError<JobErrorCode> {}
