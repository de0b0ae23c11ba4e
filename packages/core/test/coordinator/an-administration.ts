import { aggregatorRegistry } from "../../src/aggregation/index.ts";
import { auditLog } from "../../src/audit/index.ts";
import { policyAuthorizer } from "../../src/authorization/index.ts";
import { connect, type Federation } from "../../src/console/index.ts";
import {
  ADMINISTRATION_OBJECT_RULES,
  Administration,
  Coordinator,
  type EnrolmentDesk,
  orderReplayStore,
} from "../../src/coordinator/index.ts";
import { LastingObjects, memoryReplayStore, metadataObjectRecords } from "../../src/envelope/index.ts";
import { PkiError } from "../../src/errors/index.ts";
import { publicPrivacy } from "../../src/filter/index.ts";
import { createKernels } from "../../src/kernels/index.ts";
import {
  createCertificateRequest,
  type Identity,
  loadIdentity,
  metadataSuspensionStore,
  RevocationLists,
} from "../../src/pki/index.ts";
import {
  type AuditRecord,
  type AuditStore,
  type Connection,
  type CryptoProvider,
  type MetadataStore,
  noMetrics,
  type SigningKey,
  silentLogger,
  webCrypto,
} from "../../src/platform/index.ts";
import {
  CertificateRequests,
  type EnrolmentAuthority,
  parseJoinFragment,
  type RequestLimits,
  redeemInvite,
} from "../../src/provision/index.ts";
import {
  acceptSession,
  DEFAULT_OBJECT_RULES,
  enrolOverSession,
  type Session,
  type EnrolmentAuthority as SessionAuthority,
} from "../../src/session/index.ts";
import { Site } from "../../src/site/index.ts";
import {
  memoryAudit,
  memoryBlobs,
  memoryConnectionPair,
  memoryMetadata,
  TEST_EPOCH_MS,
  type TestProject,
  testProject,
  trackCrypto,
  type VirtualClock,
  virtualClock,
} from "../../src/testing/index.ts";
import { builtInWorkflows } from "../../src/workflow/index.ts";

export const ADMIN = "admin@example.org";
export const SECOND_ADMIN = "second@example.org";
export const ORG_ADMIN = "clinic@example.org";

const USERS = [
  { name: ADMIN, role: "project_admin" },
  { name: SECOND_ADMIN, role: "project_admin" },
  { name: ORG_ADMIN, role: "org_admin" },
  { name: "lead@example.org" },
] as const;

let project: Promise<TestProject> | undefined;

/** One process of a server: several share a storage, as gateways do. */
interface Process {
  readonly coordinator: Coordinator;
  readonly revocations: RevocationLists;
  readonly accept: (connection: Connection) => Promise<Session>;
}

/** A server with administration, in memory and on a virtual clock. The organization of everybody is "example". */
export class AdministeredServer {
  readonly project: TestProject;
  readonly clock: VirtualClock;
  readonly crypto: CryptoProvider;
  readonly metadata: MetadataStore = memoryMetadata();
  readonly audit: AuditStore;
  readonly #limits: Partial<RequestLimits>;
  readonly processes: Process[] = [];

  private constructor(parts: {
    project: TestProject;
    clock: VirtualClock;
    crypto: CryptoProvider;
    limits: Partial<RequestLimits>;
  }) {
    this.crypto = parts.crypto;
    this.audit = memoryAudit(parts.crypto);
    this.project = parts.project;
    this.clock = parts.clock;
    this.#limits = parts.limits;
  }

  static async start(limits: Partial<RequestLimits> = {}): Promise<AdministeredServer> {
    const tracked = trackCrypto(webCrypto());
    const clock = virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });
    project ??= testProject({ sites: ["site-1", "site-2"], users: USERS, crypto: webCrypto() });
    const server = new AdministeredServer({ project: await project, clock, crypto: tracked.crypto, limits });
    await server.addProcess();
    return server;
  }

  /** One more process on the same storage. */
  async addProcess(): Promise<Process> {
    const { clock, crypto, metadata } = this;
    const root = this.project.root.certificate.der;
    const suspensions = metadataSuspensionStore(metadata);
    const revocations = new RevocationLists({ project: "test", root }, { crypto, clock, suspensions });
    for (const { list, issuer } of this.project.revocations.held) {
      await revocations.take({ list: list.der, issuer: issuer.der });
    }
    const issuing = this.#issuing(revocations);
    const enrolment = this.#enrolment(issuing);
    const modules = { metadata, crypto, clock, audit: auditLog(this.audit, clock), logger: silentLogger };
    const sessions = (): Iterable<Session> => coordinator.sessions();
    const administration = new Administration(
      {},
      { ...modules, revocations, enrolment, sessions, authorizer: policyAuthorizer("central") },
    );
    const coordinator: Coordinator = new Coordinator(
      { project: "test", identity: this.project.server, storageKey: new Uint8Array(32) },
      {
        ...{ ...modules, audit: this.audit, blobs: memoryBlobs(crypto), metrics: noMetrics, revocations },
        workflows: builtInWorkflows(),
        ...{ administration, aggregators: aggregatorRegistry(), kernels: createKernels() },
      },
    );
    await coordinator.start();
    const orders = new LastingObjects({ records: metadataObjectRecords(metadata), crypto, clock });
    const process = {
      coordinator,
      revocations,
      accept: async (connection: Connection): Promise<Session> => {
        const session = await acceptSession(
          connection,
          {
            ...{ identity: this.project.server, project: "test", root, revocations },
            objectRules: new Map([...DEFAULT_OBJECT_RULES, ...ADMINISTRATION_OBJECT_RULES]),
            enrolment: this.#authority(enrolment, issuing),
          },
          { clock, crypto, replayStore: () => orderReplayStore(orders, memoryReplayStore({ clock })) },
        );
        if (session.scope === "full") await coordinator.admit(session);
        return session;
      },
    };
    this.processes.push(process);
    return process;
  }

  /** A connection to a process, the first by default. */
  connection(index = 0): Connection {
    const pair = memoryConnectionPair();
    this.processes[index]?.accept(pair.server).catch(() => undefined); // the client's side tells
    return pair.client;
  }

  identityOf(name: string): Identity {
    const identity = this.project.users.get(name) ?? this.project.sites.get(name);
    if (identity === undefined) throw new RangeError(`no ${name}`);
    return identity;
  }

  async as(who: string | Identity, index = 0): Promise<Federation> {
    const identity = typeof who === "string" ? this.identityOf(who) : who;
    return await this.clock.runUntil(
      connect({
        kit: {
          identity,
          root: this.project.root.certificate,
          configuration: { project: "test", server: { name: "hub" } },
        },
        transport: {
          connector: { connect: () => Promise.resolve(this.connection(index)) },
          clock: this.clock,
          crypto: this.crypto,
        },
      }),
    );
  }

  /** A site that has no data for any job. */
  site(identity: Identity): Site {
    const { clock, crypto } = this;
    return new Site(
      {
        ...{ identity, project: "test", serverName: "hub", dataNames: [], runtime: "browser" as const },
        root: this.project.root.certificate.der,
      },
      {
        ...{ clock, crypto, logger: silentLogger },
        connector: { connect: () => Promise.resolve(this.connection()) },
        random: { bytes: (length) => crypto.randomBytes(length) },
        privacy: publicPrivacy(),
        createTrainer: () => {
          throw new Error("it has no job");
        },
        decideJob: () => Promise.resolve({ declined: "no data" }),
      },
    );
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runUntil(promise);
  }

  /** Enrols by a link, or with a key alone. @returns the identity that came of it */
  async enrol(from: {
    readonly fragment?: string;
    readonly key?: SigningKey;
    readonly names?: EnrolNames;
  }): Promise<Identity> {
    const { fragment, names = { commonName: "lab-7", organization: "example" } } = from;
    const signingKey = from.key ?? (await this.crypto.generateSigningKey(1));
    const request = await createCertificateRequest(names, signingKey, { crypto: this.crypto });
    const link = fragment === undefined ? undefined : parseJoinFragment(fragment);
    const root = this.project.root.certificate;
    const options = {
      project: "test",
      serverName: "hub",
      rootFingerprint: link?.rootFingerprint ?? root.digest,
    };
    const { chain } = await this.run(
      enrolOverSession(
        this.connection(),
        { ...options, request, signingKey, ...(link === undefined ? {} : { inviteCode: link.code }) },
        this,
      ),
    );
    const nowMs = this.clock.now();
    return await loadIdentity({ chain, signingKey }, { root: root.der, project: "test", nowMs }, this);
  }

  async records(action: string): Promise<readonly AuditRecord["event"][]> {
    const events: AuditRecord["event"][] = [];
    for await (const { event } of this.audit.read()) if (event.action === action) events.push(event);
    return events;
  }

  #issuing({ suspensions }: RevocationLists): Required<EnrolmentAuthority> {
    const isProvisioned = (name: string): boolean => this.project.sites.has(name);
    return { project: "test", issuer: this.project.enrolmentCa, isProvisioned, suspensions };
  }

  #enrolment(authority: EnrolmentAuthority): EnrolmentDesk {
    const { clock, crypto, metadata } = this;
    const requests = new CertificateRequests(authority, { metadata, crypto, clock }, this.#limits);
    const issued = {
      list: () => Promise.resolve([]),
      revoke: () => Promise.resolve(0),
    };
    return { requests, issued, renew: (spki) => requests.renew(spki) };
  }

  #authority({ requests }: EnrolmentDesk, authority: EnrolmentAuthority): SessionAuthority {
    const { clock, crypto, metadata } = this;
    return {
      redeem: (code, request) => redeemInvite({ code, request }, authority, { metadata, crypto, clock }),
      ask: async (request, address) => {
        const outcome = await requests.ask(request, address);
        if (outcome.kind === "issued") return outcome.site;
        throw new PkiError(
          outcome.kind === "denied" ? "ERR_REQUEST_DENIED" : "ERR_REQUEST_PENDING",
          outcome.kind,
        );
      },
    };
  }
}

interface EnrolNames {
  readonly commonName: string;
  readonly organization?: string;
}

/** The fingerprint that both sides compare. */
export const fingerprintOf = async (key: SigningKey): Promise<Uint8Array<ArrayBuffer>> =>
  await webCrypto().sha256(key.publicKey);
