import type { AggregationDefinition, ServerOptimizerDefinition } from "../aggregation/index.ts";
import type { Bytes } from "../bytes/index.ts";
import type { JobFilters } from "../filter/index.ts";
import type { ParameterDescriptor, ParameterSet } from "../tensor/index.ts";
import type { DeploymentDefinition, RetentionDefinition } from "./deployment.ts";
import type { MetricDefinition, MetricValue } from "./metric/index.ts";
import type { TrainingDefinition } from "./training-definition.ts";

/** Workflows that come with Photinus. */
export const WORKFLOW_NAMES = [
  "fedavg",
  "scaffold",
  "cyclic",
  "federated-evaluation",
  "cross-site-evaluation",
] as const;

/** How the server runs the rounds. */
export interface WorkflowDefinition {
  /** Name in the registry of workflows. */
  readonly name: (typeof WORKFLOW_NAMES)[number];
  /**
   * 1 to 100 000: aggregates of `fedavg`, visits of `cyclic`; 1 for `federated-evaluation`; for `cross-site-evaluation` the most sites
   * whose models are compared.
   */
  readonly rounds: number;
  /** A round starts when this many sites are ready and counts when this many contributions were accepted; >= 1. */
  readonly minimumSites: number;
  /** A contribution that is not received this long after its task was sent is late. */
  readonly roundTimeoutMs: number;
  /** How long the job waits for `minimumSites` before it fails. */
  readonly waitForSitesMs: number;
  /**
   * How the model follows the aggregate of a round: FedAvgM, FedAdam, FedYogi, FedAdagrad, the outer steps of DiLoCo. Default:
   * by the whole of it, and nothing else.
   */
  readonly serverOptimizer?: ServerOptimizerDefinition;
}

/** What a job is; data, signed by its submitter. FLARE: job. */
export interface JobDefinition {
  /** Shown to people: 1 to 100 characters. */
  readonly name: string;
  /** What the result is for, shown to participants before they consent: at most 2 000 characters. */
  readonly purpose: string;
  /** What the server does. */
  readonly workflow: WorkflowDefinition;
  /** How the updates of a round become one. Default: their mean, weighted by example counts. */
  readonly aggregation?: AggregationDefinition;
  /** What the sites do. */
  readonly training: TrainingDefinition;
  /** Scope of each site's privacy policy under which it runs. Default: the default scope of the site. */
  readonly scope?: string;
  /** What models and results go through at each site, behind the filters of the site itself. Default: nothing. */
  readonly filters?: JobFilters;
  /** Study of the project whose job it is: for its members and sites alone. Absent where the project has no studies. */
  readonly study?: string;
  /** Places outside of which nothing of it may lie, such as `EU` or `US-CA`, for server and sites. Default: anywhere. */
  readonly residency?: readonly string[];
  /** Name of the data set that each site maps to its own data. */
  readonly dataName: string;
  /** Unsigned 32-bit seed; the seed of a task is derived from it, the site's name and the round. */
  readonly seed: number;
  /** Stream chunk size in bytes, 65 536 to 1 048 576. */
  readonly chunkBytes: number;
  /** Upper bound that an example count must respect. */
  readonly maximumExamples: number;
  /** Who takes part, and what the job needs there. Default: every site that has the data; nothing. */
  readonly deployment?: DeploymentDefinition;
  /** 0 to 9: the higher goes first; each minute of waiting counts as one. Default: 5. */
  readonly priority?: number;
  /** What is kept of the job. Default: the newest and best model, until somebody deletes the job. */
  readonly retention?: RetentionDefinition;
  /** What the sites measure that makes one version better than another. Default: `accuracy`, then `loss`. */
  readonly bestBy?: "accuracy" | "loss";
  /** What the sites measure beside loss and accuracy, at most 8: they send sums, which the server adds up. Default: nothing. */
  readonly metrics?: readonly MetricDefinition[];
}

/** A job as its submitter makes it: definition, graph and starting point. */
export interface JobBundle {
  /** What the job is. */
  readonly definition: JobDefinition;
  /** The forward ONNX graph. */
  readonly model: Bytes;
  /** The parameter table: what the model must have. */
  readonly parameters: readonly ParameterDescriptor[];
  /** Every tensor of the parameter table, in table order. */
  readonly initialParameters: ParameterSet;
}

/** What one site, or all sites together, measured on held-out examples. */
export interface Evaluation {
  /** Mean loss per example. */
  readonly loss: number;
  /** Fraction of right answers in [0, 1]; 0 where the loss knows no right ones. */
  readonly accuracy: number;
  /** Held-out examples: the weight when evaluations are averaged. */
  readonly exampleCount: number;
  /** Numbers of the job's metrics over the examples of all sites together, in its order. Default: none. */
  readonly metrics?: readonly MetricValue[];
}
