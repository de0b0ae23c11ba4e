import type { SpendingStore } from "../accounting/index.ts";
import type { AuditChain } from "../audit/index.ts";
import type { PolicySource } from "../authorization/index.ts";
import type { Bytes } from "../bytes/index.ts";
import type { LastingObjects } from "../envelope/index.ts";
import type { FilterRegistry, PrivacyScope, PrivacySource } from "../filter/index.ts";
import type { JobDefinition } from "../job/index.ts";
import type { Identity, Participant, RevocationLists } from "../pki/index.ts";
import type { Clock, Connector, CryptoProvider, Logger, Random } from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import type { CredentialSource } from "../session/index.ts";
import type { ParameterStore } from "./local/index.ts";
import type { GrantedResources, ResourceSource } from "./resources/index.ts";
import type { Trainer } from "./trainer.ts";

/** What a site is and what it allows. */
export interface SiteOptions {
  /** Certificate and key of the site. */
  readonly identity: Identity;
  /** Name of the project. */
  readonly project: string;
  /** Root certificate of the project, DER: every chain must end at it. */
  readonly root: Bytes;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** Data sets that this site has; jobs for others are not offered to it. */
  readonly dataNames: readonly string[];
  /**
   * Studies whose jobs it takes; with none, jobs that name no study. Absent: whichever the server gives it, as of a site that joined
   * by a link, whose invite names its study.
   */
  readonly studies?: readonly string[];
  /** Where its data lies: a job that may not be there is declined. Absent: nowhere in particular. */
  readonly jurisdiction?: string;
  /** "node" or "browser"; shown to people. */
  readonly runtime: "node" | "browser";
  /** What a job may ask of this site. */
  readonly limits?: Partial<SiteLimits>;
  /** First and longest wait between attempts to connect. Default 500 ms and 30 000 ms. */
  readonly reconnect?: { readonly firstMs?: number; readonly longestMs?: number };
}

/** Limits of a site for jobs: one beyond them is declined. */
export interface SiteLimits {
  /** Default 10 000. */
  readonly rounds: number;
  /** Default 100. */
  readonly localEpochs: number;
  /** Bytes of a model's parameters, and of its graph. Default 512 MiB. */
  readonly modelBytes: number;
  /** Jobs that this site takes part in at once. Default 4. */
  readonly concurrentJobs: number;
}

/** A scope of the site's privacy policy, as whoever decides about a job sees it. */
export interface ProposedScope {
  /** Its name. */
  readonly name: string;
  /** What the policy says of it. */
  readonly properties: PrivacyScope["properties"];
}

/** A job that asks to be trained here, after its signature, its submitter's role, its scope and the limits were checked. */
export interface JobProposal extends OfferedJob {
  /** The scope under which it would run. */
  readonly scope: ProposedScope;
}

/** A job as it came. */
export interface OfferedJob {
  /** Id of the job: 32 hexadecimal digits. The submitter chose it; what was signed under it is {@link digest}. */
  readonly jobId: string;
  /** SHA-256 of everything that the submitter signed, lower-case hex: what an agreement is bound to. */
  readonly digest: string;
  /** What the job is. */
  readonly definition: JobDefinition;
  /** Who signed the job. */
  readonly submitter: Participant;
  /** Bytes of the model's parameters: what each round brings, and about what each contribution sends back. */
  readonly modelBytes: number;
}

/**
 * Answer of {@link SiteModules.decideJob}: a policy accepts, a person agrees to a text of that version (at most 64
 * characters; it is signed and audited), or the reason why not.
 */
export type JobDecision = "accept" | { readonly agreedTo: string } | { readonly declined: string };

/** What a site works with; all injected. */
export interface SiteModules {
  /** Opens connections to the server. */
  readonly connector: Connector;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Randomness for ids. */
  readonly random: Random;
  /** Where log lines go. */
  readonly logger: Logger;
  /**
   * What is known about revoked certificates, kept beyond the process so that no server goes back to an older list.
   * Default: in memory for the life of this site.
   */
  readonly revocations?: RevocationLists;
  /**
   * Jobs and counters that this site has seen, kept beyond the process so that none is replayed to the next one.
   * Default: in memory for the life of this site.
   */
  readonly objects?: LastingObjects;
  /** Whose jobs this site takes, whatever the server admitted. Default: the default policy. */
  readonly policy?: PolicySource;
  /** Scopes, filters and budgets: `privacy.json` of now. Without a valid policy no job is taken and nothing leaves. */
  readonly privacy: PrivacySource;
  /** Filters that this site has. Default: those that come with Photinus. */
  readonly filters?: FilterRegistry;
  /** Where it is kept, beyond the process, what was spent of privacy budgets. Default: nowhere, and a scope with a budget is refused. */
  readonly spending?: SpendingStore;
  /**
   * Where it is kept, beyond the process, what the site has of a job beside the shared model: personal parameters, control
   * variates. Default: in memory for the life of this site.
   */
  readonly parameters?: ParameterStore;
  /** Where the noise of filters comes from; nobody else may know or repeat it. Default: the cryptography of the runtime. */
  readonly noise?: Random;
  /** Where the site records what it decided, before it has an effect. Default: nowhere. */
  readonly audit?: AuditChain;
  /** Code of the site's owner: asked before things happen, told of what happened. Default: none. */
  readonly plugins?: PluginHost;
  /** Where a credential comes from that the server wants beside the certificate. Default: nowhere. */
  readonly credentials?: CredentialSource;
  /**
   * Keeps the next certificates of a site that enrolled, leaf first, before they are used. Default: in memory for the life
   * of this site.
   */
  readonly keepCertificate?: (chain: readonly Bytes[]) => Promise<void>;
  /** What the host has for jobs, and limits for them: `resources.json` of now. Default: nothing, and those of the options. */
  readonly resources?: ResourceSource;
  /** A fresh trainer for one job; closed by the site when the job ends. @param granted what the job has of the host */
  readonly createTrainer: (granted: GrantedResources) => Trainer;
  /** Asks whether this site takes part: a policy, or the person in front of the page. Rejected counts as declined. */
  readonly decideJob: (job: JobProposal, signal: AbortSignal) => Promise<JobDecision>;
}
