import type { AggregatorRegistry } from "../aggregation/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { Bytes } from "../bytes/index.ts";
import type { Kernels } from "../kernels/index.ts";
import type { JobState } from "../message/index.ts";
import type { Identity, RevocationLists } from "../pki/index.ts";
import type {
  AuditStore,
  BlobStore,
  Bus,
  Clock,
  CryptoProvider,
  Logger,
  MetadataStore,
  Metrics,
  ScratchStore,
} from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import type { RosterSource } from "../provision/index.ts";
import type { WorkflowRegistry } from "../workflow/index.ts";
import type { Administration } from "./administration/administration.ts";
import type { JobUser } from "./job-rights.ts";

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
  /** Jobs that may run at once; the others wait for their turn. Default 4. */
  readonly concurrentJobs?: number;
  /** Jobs that one site is given at once; it may take fewer. Default 4. */
  readonly jobsPerSite?: number;
  /** Jobs that may wait for their turn; a further one is refused as ERR_BUSY. Default 1 000. */
  readonly waitingJobs?: number;
  /** Most bytes of a model's parameters or graph. Default 1 GiB. */
  readonly maximumModelBytes?: number;
  /**
   * A job that has its minimum of sites waits this long before its first task for connected sites that have not
   * answered or are preparing. Default 2 000 ms.
   */
  readonly startGraceMs?: number;
  /**
   * A site whose session ended in the middle of a task may come back within this time and go on; at most until the
   * task's deadline. Default 15 000 ms.
   */
  readonly reconnectGraceMs?: number;
  /** A user's session in which nothing is asked for so long, while nothing goes on, is ended. Default: none is. */
  readonly userIdleMs?: number;
  /** Where the data of the server lies: jobs that may not be there are refused. Absent: nowhere in particular. */
  readonly jurisdiction?: string;
  /** Increments that a slow reader of observations may fall behind before it gets a snapshot instead. Default 1 024. */
  readonly observationBuffer?: number;
}

/** What a coordinator works with; all injected. */
export interface CoordinatorModules {
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Small records. */
  readonly metadata: MetadataStore;
  /** Bytes by their digest. */
  readonly blobs: BlobStore;
  /** The chain of audit records. */
  readonly audit: AuditStore;
  /** The other gateways of the project. Absent: there are none. */
  readonly bus?: Bus;
  /** Where log lines go. */
  readonly logger: Logger;
  /** Where figures go. */
  readonly metrics: Metrics;
  /** What is known about revoked certificates: their sessions end, the others hear of new lists. Absent: nobody is. */
  readonly revocations?: RevocationLists;
  /** Decides who may do what. Default: the default policy, for the organization of the server. */
  readonly authorizer?: Authorizer;
  /** Sites, scopes and studies of now. Absent: sites and scopes are not known, and there are no studies. */
  readonly roster?: RosterSource;
  /** Code of the server's owner: asked before things happen, told of what happened. Default: none. */
  readonly plugins?: PluginHost;
  /** What administrators order, and the renewal of certificates. Absent: neither. */
  readonly administration?: Administration;
  /** Workflows by the name that a job definition gives. */
  readonly workflows: WorkflowRegistry;
  /** Aggregators by name; must hold "weighted-mean". */
  readonly aggregators: AggregatorRegistry;
  /** Numbers in bulk: `createKernels()`. */
  readonly kernels: Kernels;
  /** Where updates go that robust rules have to see together. Absent: those of a round must fit in 32 MiB. */
  readonly scratch?: ScratchStore | undefined;
}

/** A job as lists show it. */
export interface JobSummary {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Title for people. */
  readonly name: string;
  /** Where it stands. */
  readonly state: JobState;
  /** Who submitted it: the name in the certificate. */
  readonly submitter: string;
  /** Milliseconds since 1970. */
  readonly submittedAtMs: number;
  /** Study that it belongs to; absent where the project has none. */
  readonly study?: string;
}

/** A site that is connected, as lists show it. */
export interface ConnectedSite {
  /** Name in its certificate. */
  readonly name: string;
  /** Organization. */
  readonly org: string;
  /** "node" or "browser": what the site says of itself. */
  readonly runtime: string;
  /** Data sets that it says it has. */
  readonly dataNames: readonly string[];
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
}

/** Options of {@link Coordinator.observe}. */
export interface ObserveOptions {
  /** Last sequence that the reader has; increments follow it when they are still held, else a snapshot comes first. */
  readonly fromSequence?: number;
  /** Stops the work when it is aborted. */
  readonly signal: AbortSignal;
  /** Who looks on, if the policy shows the job. Absent: whoever asks has decided that. */
  readonly by?: JobUser;
  /** A job of another study is not there. Absent: of whatever study. */
  readonly study?: string;
}
