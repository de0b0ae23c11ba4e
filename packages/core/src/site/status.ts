import type { ErrorCode } from "../errors/index.ts";
import type { Evaluation } from "../job/index.ts";
import type { DType } from "../tensor/index.ts";

/** What a site is doing. */
export type SiteActivity =
  | "stopped"
  | "connecting"
  | "reconnecting"
  | "waiting"
  | "deciding"
  | "preparing"
  | "evaluating"
  | "training"
  | "uploading"
  | "refused";

/** One tensor that left the site. */
export interface OutgoingTensor {
  /** Name of the parameter. */
  readonly name: string;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Dimensions, slowest first. */
  readonly shape: readonly number[];
  /** L2 norm. */
  readonly norm: number;
}

/** What one filter did to what left. */
export interface AppliedFilterStatus {
  /** Name of the filter. */
  readonly name: string;
  /** Whose it is. */
  readonly origin: "site" | "job";
  /** What it did: norms, factors, deviations, counts. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** How what left was protected. */
export interface OutgoingPrivacy {
  /** Scope of the site's privacy policy. */
  readonly scope: string;
  /** In the order in which they were applied. */
  readonly filters: readonly AppliedFilterStatus[];
  /** False: losses and evaluations stayed here. */
  readonly tellsMetrics: boolean;
  /** What the scope has spent with this contribution; absent where it has no budget. */
  readonly spent?: PrivacySpent;
}

/** How much of a privacy budget is spent. */
export interface PrivacySpent {
  /** ε of all releases so far. */
  readonly epsilon: number;
  /** ε that may be spent. */
  readonly budget: number;
  /** δ of both. */
  readonly delta: number;
}

/** What left the site in one round: the very content of one contribution. */
export interface OutgoingContribution {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** 1, 2, 3, ... */
  readonly round: number;
  /** Every tensor that left. */
  readonly tensors: readonly OutgoingTensor[];
  /** Bytes of the stream. */
  readonly totalBytes: number;
  /** L2 norm over all tensors. */
  readonly norm: number;
  /** Examples trained on. */
  readonly exampleCount: number;
  /** What was done to the update before it left. */
  readonly privacy: OutgoingPrivacy;
  /** Root of the stream in hex: what the site signed. */
  readonly digest: string;
  /** What the server answered last. */
  readonly receipt: "none" | "received" | "committed" | "refused";
  /** Error code of a refusal; empty otherwise. */
  readonly cause: string;
}

/** The job that a site works on. */
export interface SiteJobStatus {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Title for people. */
  readonly name: string;
  /** What the model is for. */
  readonly purpose: string;
  /** Name of whoever signed the job. */
  readonly submitter: string;
  /** Rounds planned. */
  readonly rounds: number;
  /** Execution provider; empty until prepared. */
  readonly device: string;
  /** Examples that local training draws from. */
  readonly trainingExamples: number;
  /** Held-out examples that evaluation uses; 0 when there are none. */
  readonly heldOutExamples: number;
  /** The round of the last task; 0 before the first. */
  readonly round: number;
  /** This site's evaluations of the model versions that it received, by round. */
  readonly evaluations: readonly { readonly round: number; readonly evaluation: Evaluation }[];
  /** Mean training loss of each round trained here. */
  readonly losses: readonly { readonly round: number; readonly loss: number }[];
}

/** What people see of a site. Immutable: each change is a new object. */
export interface SiteStatus {
  /** What the site is doing. */
  readonly activity: SiteActivity;
  /** Progress of the activity in [0, 1]; 0 when unknown. */
  readonly progress: number;
  /** Mean loss of the latest training steps, when there is one. */
  readonly trainingLoss: number | undefined;
  /** When the next attempt to connect begins, ms since 1970; only while reconnecting or refused. */
  readonly retryAtMs: number | undefined;
  /** Code and words of the last fault; absent when all is well. */
  readonly fault: { readonly code: ErrorCode; readonly detail: string } | undefined;
  /** The job that was worked on last. */
  readonly job: SiteJobStatus | undefined;
  /** What left this site, the latest last; at most 64. */
  readonly outgoing: readonly OutgoingContribution[];
  /** Contributions that the server has committed. */
  readonly committed: number;
  /** Bytes sent and received on all connections since the start. */
  readonly bytesUp: number;
  /** Bytes received on all connections since the start. */
  readonly bytesDown: number;
}
