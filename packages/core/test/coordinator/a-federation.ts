import { aggregatorRegistry } from "../../src/aggregation/index.ts";
import { auditLog } from "../../src/audit/index.ts";
import type { Bytes } from "../../src/bytes/index.ts";
import { connect, type Federation } from "../../src/console/index.ts";
import { Coordinator, type CoordinatorOptions } from "../../src/coordinator/index.ts";
import { publicPrivacy } from "../../src/filter/index.ts";
import type { JobBundle, JobDefinition } from "../../src/job/index.ts";
import { createKernels } from "../../src/kernels/index.ts";
import type { JobView } from "../../src/message/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import {
  type AuditRecord,
  type AuditStore,
  type BlobStore,
  type Bus,
  type Connector,
  type CryptoProvider,
  type MetadataStore,
  noMetrics,
  silentLogger,
  webCrypto,
} from "../../src/platform/index.ts";
import { type Plugin, PluginHost } from "../../src/plugin/index.ts";
import type { RosterSource } from "../../src/provision/index.ts";
import { type AcceptOptions, acceptSession, type LoginPace, type Session } from "../../src/session/index.ts";
import { Site, type SiteModules, type SiteOptions } from "../../src/site/index.ts";
import {
  type MemoryConnectionPair,
  memoryAudit,
  memoryBlobs,
  memoryConnectionPair,
  memoryMetadata,
  seededRandom,
  TEST_EPOCH_MS,
  type TestProject,
  testProject,
  trackCrypto,
  type VirtualClock,
  virtualClock,
} from "../../src/testing/index.ts";
import { builtInWorkflows, type WorkflowRegistry } from "../../src/workflow/index.ts";
import {
  initialLinearParameters,
  type LinearTrainerHooks,
  linearData,
  linearTrainer,
} from "./linear-trainer.ts";

/** Certificates take time to make: one project for all tests of a file. */
let project: Promise<TestProject> | undefined;
const SITES = ["site-1", "site-2", "site-3", "site-4"];
const USERS = [{ name: "lead@example.org" }, { name: "member@example.org", role: "member" }] as const;

export interface FederationOptions {
  readonly coordinator?: Partial<CoordinatorOptions>;
  readonly workflows?: WorkflowRegistry;
  readonly metadata?: MetadataStore;
  /** The bus of a coordinator; called for each. Default: it has none. */
  readonly bus?: (clock: VirtualClock) => Bus;
  /** How sessions are accepted, in place of the defaults. */
  readonly accept?: Partial<AcceptOptions>;
  /** Who logs in when. Default: nobody is sent away. */
  readonly pace?: (clock: VirtualClock) => LoginPace;
  /** How long a frame is on its way. Default 0. */
  readonly latencyMs?: number;
  /** A project of its own, where the test changes it. */
  readonly project?: TestProject;
  /** Sites, scopes and studies of now. Default: nothing is known of them. */
  readonly roster?: RosterSource;
  /** Code of the server's owner. */
  readonly plugins?: readonly Plugin[];
  /** Looks at what is encrypted and signed, by everybody. */
  readonly observe?: (crypto: CryptoProvider) => CryptoProvider;
}

/** A coordinator with its storage, and how sites and users reach it, in memory and on a virtual clock. */
export class TestFederation {
  readonly project: TestProject;
  readonly clock: VirtualClock;
  readonly crypto: CryptoProvider;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly audit: AuditStore;
  readonly connections = new Map<string, MemoryConnectionPair>();
  readonly sessions = new Map<string, Session>();
  /** How often each has connected. */
  readonly attempts = new Map<string, number>();
  readonly #pace: LoginPace | undefined;
  coordinator: Coordinator;
  readonly #options: FederationOptions;
  readonly #sites: Site[] = [];
  /** False: nobody gets through, as while the server is down. */
  isUp = true;
  /** Of the present process. */
  #life = { isOver: false };

  private constructor(parts: {
    project: TestProject;
    clock: VirtualClock;
    crypto: CryptoProvider;
    options: FederationOptions;
  }) {
    this.project = parts.project;
    this.clock = parts.clock;
    this.crypto = parts.crypto;
    this.metadata = parts.options.metadata ?? memoryMetadata();
    this.blobs = memoryBlobs(parts.crypto);
    this.audit = memoryAudit(parts.crypto);
    this.#options = parts.options;
    this.#pace = parts.options.pace?.(parts.clock);
    this.coordinator = this.makeCoordinator();
  }

  static async start(options: FederationOptions = {}): Promise<TestFederation> {
    const tracked = trackCrypto(options.observe?.(webCrypto()) ?? webCrypto());
    const clock = virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });
    // Many federations use it, in whatever order: its time is none of theirs.
    project ??= testProject({ sites: SITES, users: USERS, crypto: webCrypto() });
    const parts = { project: options.project ?? (await project), clock, crypto: tracked.crypto, options };
    const federation = new TestFederation(parts);
    await federation.coordinator.start();
    return federation;
  }

  makeCoordinator(): Coordinator {
    const { clock, crypto } = this;
    this.#life = { isOver: false };
    const metadata = mortal(this.metadata, this.#life);
    const blobs = mortal(this.blobs, this.#life);
    const audit = mortal(this.audit, this.#life);
    const bus = this.#options.bus?.(clock);
    return new Coordinator(
      {
        project: this.project.project,
        identity: this.project.server,
        storageKey: new Uint8Array(32).fill(9),
        ...this.#options.coordinator,
      },
      {
        clock,
        crypto,
        metadata,
        blobs,
        audit,
        ...(bus === undefined ? {} : { bus }),
        ...(this.#options.roster === undefined ? {} : { roster: this.#options.roster }),
        logger: silentLogger,
        metrics: noMetrics,
        revocations: this.project.revocations,
        plugins: this.pluginHost(this.#options.plugins),
        workflows: this.#options.workflows ?? builtInWorkflows(),
        aggregators: aggregatorRegistry(),
        kernels: createKernels(),
      },
    );
  }

  /** Plug-ins that record in the chain of the server. */
  pluginHost(plugins: readonly Plugin[] = []): PluginHost {
    const { clock } = this;
    return new PluginHost(plugins, { clock, logger: silentLogger, audit: auditLog(this.audit, clock) });
  }

  /** The server process dies and another one begins from what was stored. */
  async restart(): Promise<void> {
    this.isUp = false;
    for (const pair of this.connections.values()) pair.cut();
    await this.coordinator.stop();
    this.coordinator = this.makeCoordinator();
    await this.coordinator.start();
    this.isUp = true;
  }

  /** The server process dies without a word; the next one begins from what was stored. */
  async crash(): Promise<void> {
    this.isUp = false;
    this.#life.isOver = true;
    for (const pair of this.connections.values()) pair.cut();
    this.coordinator.stop().catch(() => undefined); // what is left of the dead process
    this.coordinator = this.makeCoordinator();
    await this.coordinator.start();
    this.isUp = true;
  }

  get root(): Bytes {
    return this.project.root.certificate.der;
  }

  identityOf(name: string): Identity {
    const identity = this.project.sites.get(name) ?? this.project.users.get(name);
    if (identity === undefined) throw new RangeError(`no ${name}`);
    return identity;
  }

  /** Reaches the server by memory. */
  connector(name: string): Connector {
    return {
      connect: async () => {
        if (!this.isUp) throw new Error("the server is down");
        const { coordinator, clock, crypto } = this;
        const { latencyMs = 0, accept } = this.#options;
        const pair = memoryConnectionPair({ latencyMs, clock });
        this.connections.set(name, pair);
        this.attempts.set(name, 1 + (this.attempts.get(name) ?? 0));
        const { server: identity, project, revocations } = this.project;
        const common = { identity, project, root: this.root, revocations };
        const modules = this.#pace === undefined ? { clock, crypto } : { clock, crypto, pace: this.#pace };
        acceptSession(pair.server, { ...common, ...accept }, modules)
          .then((session) => {
            this.sessions.set(name, session);
            return coordinator.admit(session);
          })
          .catch(() => undefined); // the client's side tells
        return pair.client;
      },
    };
  }

  /** A site that trains a linear model on data of its own. */
  site(name: string, options: TestSiteOptions = {}): Site {
    const site = new Site(
      {
        identity: this.identityOf(name),
        project: this.project.project,
        root: this.root,
        serverName: "hub",
        dataNames: ["line"],
        runtime: "node",
        ...options.site,
      },
      {
        connector: this.connector(name),
        clock: this.clock,
        crypto: this.crypto,
        random: seededRandom(`site/${name}`),
        logger: silentLogger,
        privacy: publicPrivacy(),
        createTrainer: () => linearTrainer(linearData(name, options.examples), options.hooks),
        decideJob: () => Promise.resolve("accept"),
        ...options.modules,
      },
    );
    this.#sites.push(site);
    site.start();
    return site;
  }

  /** A user's client. */
  async user(name = "lead@example.org"): Promise<Federation> {
    return await this.clock.runUntil(
      connect({
        kit: {
          identity: this.identityOf(name),
          root: { der: this.root },
          configuration: { project: this.project.project, server: { name: "hub" } },
        },
        transport: { connector: this.connector(name), clock: this.clock, crypto: this.crypto },
      }),
    );
  }

  /** Submits a job as the lead. @returns its id */
  async submit(
    workflow: Partial<JobDefinition["workflow"]> = {},
    definition: Partial<JobDefinition> = {},
  ): Promise<string> {
    const user = await this.user();
    const bundle = aBundle(workflow);
    const changed = { ...bundle, definition: { ...bundle.definition, ...definition } };
    const { jobId } = await this.clock.runUntil(user.submit(changed));
    await user.close();
    return jobId;
  }

  /** Lets time pass until the job has ended. @returns its last view */
  async untilEnd(jobId: string, limitMs?: number): Promise<JobView> {
    const end = this.coordinator.waitForEnd(jobId, new AbortController().signal);
    await this.clock.runUntil(end, limitMs);
    return await this.view(jobId);
  }

  /** The job as people see it now. */
  async view(jobId: string): Promise<JobView> {
    for await (const observation of this.coordinator.observe(jobId, {
      signal: new AbortController().signal,
    })) {
      if (observation.kind === "snapshot") return observation.job;
    }
    throw new RangeError("no snapshot");
  }

  /** Every audit record so far. */
  async records(): Promise<readonly AuditRecord[]> {
    const records: AuditRecord[] = [];
    for await (const record of this.audit.read()) records.push(record);
    return records;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sites.map((site) => this.clock.runUntil(site.stop())));
    await this.clock.runUntil(this.coordinator.stop());
  }
}

/** Storage as a process sees it: once its life is over, no call gets through. */
function mortal<Store extends object>(store: Store, life: { readonly isOver: boolean }): Store {
  return new Proxy(store, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown =>
        life.isOver ? new Promise(() => undefined) : Reflect.apply(value, target, given);
    },
  });
}

export interface TestSiteOptions {
  readonly site?: Partial<SiteOptions>;
  readonly modules?: Partial<SiteModules>;
  readonly hooks?: LinearTrainerHooks;
  readonly examples?: number;
}

/** A job that fits a line. */
export function aBundle(workflow: Partial<JobDefinition["workflow"]> = {}): JobBundle {
  return {
    definition: {
      name: "line",
      purpose: "Fits a line.",
      workflow: {
        name: "fedavg",
        rounds: 3,
        minimumSites: 2,
        roundTimeoutMs: 60_000,
        waitForSitesMs: 120_000,
        ...workflow,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
        batchSize: 1,
        localEpochs: 1,
      },
      dataName: "line",
      seed: 7,
      chunkBytes: 65_536,
      maximumExamples: 1000,
    },
    model: new Uint8Array(1000).fill(5),
    parameters: [
      { name: "weight", dtype: "f32", shape: [4], trainable: true },
      { name: "bias", dtype: "f32", shape: [1], trainable: true },
    ],
    initialParameters: initialLinearParameters(),
  };
}
