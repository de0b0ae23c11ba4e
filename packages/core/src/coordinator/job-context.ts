import type { AggregatorRegistry } from "../aggregation/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { Bytes } from "../bytes/index.ts";
import type { DecomposerRegistry } from "../decomposer/index.ts";
import type { CheckpointStore, JobPayload, JobStore } from "../job/index.ts";
import type { Kernels } from "../kernels/index.ts";
import type { Identity } from "../pki/index.ts";
import type {
  Clock,
  CryptoProvider,
  Logger,
  MetadataStore,
  Metrics,
  ScratchStore,
} from "../platform/index.ts";
import type { JobFacts, PluginHost } from "../plugin/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { WorkflowRegistry } from "../workflow/index.ts";
import type { JobBoard } from "./job-board.ts";
import type { JobSites } from "./job-sites.ts";
import type { KeptUploads } from "./kept-uploads.ts";
import type { Studies } from "./studies.ts";
import type { UploadSlots } from "./upload-slots.ts";

/** What all jobs of one coordinator share. */
export interface JobModules {
  readonly project: string;
  /** Who this server is at the moment: its certificate may be renewed while it runs. */
  readonly ownIdentity: () => Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly registry: DecomposerRegistry;
  readonly metadata: MetadataStore;
  readonly checkpoints: CheckpointStore;
  readonly jobs: JobStore;
  readonly audit: AuditLog;
  /** Decides by the policy of the server. */
  readonly authorizer: Authorizer;
  /** Whose jobs are whose. */
  readonly studies: Studies;
  readonly plugins: PluginHost;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly slots: UploadSlots;
  readonly uploads: KeptUploads;
  readonly workflows: WorkflowRegistry;
  readonly aggregators: AggregatorRegistry;
  readonly kernels: Kernels;
  readonly scratch: ScratchStore | undefined;
  /** How long a job's first task waits for sites that are about to be ready. */
  readonly startGraceMs: number;
  /** How long a task waits for a site whose session ended. */
  readonly reconnectGraceMs: number;
}

/** One job as its parts see it. */
export interface JobContext {
  readonly jobId: string;
  readonly payload: JobPayload;
  /** What plug-ins are told of it. */
  readonly facts: JobFacts;
  /** The job OBJECT as its submitter signed it, and the submitter's chain. */
  readonly object: Bytes;
  readonly submitterChain: readonly Bytes[];
  /** Where the tensors of a model lie. */
  readonly modelLayout: TensorLayout;
  /** Where the tensors lie that an update changes of the model: the first of the update. */
  readonly changeLayout: TensorLayout;
  /** Where the tensors of an update lie. */
  readonly updateLayout: TensorLayout;
  readonly board: JobBoard;
  readonly sites: JobSites;
  readonly modules: JobModules;
  /** Aborted when the job or the server stops. */
  readonly signal: AbortSignal;
}
