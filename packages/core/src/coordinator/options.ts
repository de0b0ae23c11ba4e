import type { AggregatorRegistry } from "../aggregation/index.ts";
import type { Bytes } from "../bytes/index.ts";
import type { Kernels } from "../kernels/index.ts";
import type { Identity } from "../pki/index.ts";
import type {
  AuditStore,
  BlobStore,
  Clock,
  CryptoProvider,
  Logger,
  MetadataStore,
  Metrics,
} from "../platform/index.ts";
import type { WorkflowRegistry } from "../workflow/index.ts";

/** What a coordinator is and how much it may take. */
export interface CoordinatorOptions {
  /** Name of the project: the one in every certificate. */
  readonly project: string;
  /** Certificate and key of the server; signs publications. */
  readonly identity: Identity;
  /** 32 bytes that wrap the keys of everything at rest (RFC 3394); from the kit, never stored beside the data. */
  readonly storageKey: Bytes;
  /** Updates that may be on their way at once: memory is base + (K + 2) models. Default 2. */
  readonly uploadSlots?: number;
  /** Jobs that may run at once; the others wait in order of submission. Default 4. */
  readonly concurrentJobs?: number;
  /** Most bytes of a model's parameters or graph. Default 1 GiB. */
  readonly maximumModelBytes?: number;
  /** Increments that a slow reader of observations may fall behind before it gets a snapshot instead. Default 1 024. */
  readonly observationBuffer?: number;
}

/** What a coordinator works with; all injected. */
export interface CoordinatorModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly audit: AuditStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Workflows by the name that a job definition gives. */
  readonly workflows: WorkflowRegistry;
  /** Aggregators by name; must hold "weighted-mean". */
  readonly aggregators: AggregatorRegistry;
  /** Numbers in bulk: `createKernels()`. */
  readonly kernels: Kernels;
}

/** A job as lists show it. */
export interface JobSummary {
  readonly jobId: string;
  readonly name: string;
  readonly state: "waiting" | "running" | "finished" | "failed" | "aborted";
  /** Who submitted it: the name in the certificate. */
  readonly submitter: string;
  readonly submittedAtMs: number;
}

/** A site that is connected, as lists show it. */
export interface ConnectedSite {
  readonly name: string;
  readonly org: string;
  /** "node" or "browser": what the site says of itself. */
  readonly runtime: string;
  readonly dataNames: readonly string[];
  readonly connectedAtMs: number;
}

/** Options of {@link Coordinator.observe}. */
export interface ObserveOptions {
  /** Last sequence that the reader has; increments follow it when they are still held, else a snapshot comes first. */
  readonly fromSequence?: number;
  readonly signal: AbortSignal;
}
