import type { AggregatorRegistry } from "@photinus/core/aggregation";
import { type AuditLog, auditLog } from "@photinus/core/audit";
import { type PolicySource, policyAuthorizer } from "@photinus/core/authorization";
import {
  ADMINISTRATION_OBJECT_RULES,
  Administration,
  type Coordinator,
  type CoordinatorOptions,
  TokenRevocations,
} from "@photinus/core/coordinator";
import { builtInRegistry } from "@photinus/core/decomposer";
import { LastingObjects, metadataObjectRecords } from "@photinus/core/envelope";
import { HostError, WireError } from "@photinus/core/errors";
import { ChainCache, type RevocationLists } from "@photinus/core/pki";
import type { Clock, CryptoProvider, Logger } from "@photinus/core/platform";
import { type Plugin, PluginHost } from "@photinus/core/plugin";
import type { InviteOptions, OpenedKit, RequestLimits, RosterSource } from "@photinus/core/provision";
import {
  type AcceptOptions,
  type AuthenticatorRule,
  DEFAULT_OBJECT_RULES,
  LoginPace,
  ServerHellos,
  type SessionModules,
  SharedTimer,
} from "@photinus/core/session";
import { bytesPassed, compactMemory } from "@photinus/node-platform";
import type { AuthenticationSettings } from "../authentication/settings.ts";
import { type HostAddress, HttpHost, type HttpHostOptions } from "../http/http-host.ts";
import { type PrometheusMetrics, prometheusMetrics } from "../http/prometheus-metrics.ts";
import { type ReadTokens, readTokens } from "../http/read-tokens.ts";
import type { TlsOptions } from "../http/tls.ts";
import { JoinSignIn } from "../sign-in/join-sign-in.ts";
import { SignIn, type SignInModules } from "../sign-in/sign-in.ts";
import { createCoordinator } from "./create-coordinator.ts";
import { CurrentKit } from "./current-kit.ts";
import { recordedEnrolment } from "./enrolment.ts";
import { type Enrolment, enrolmentDesk } from "./enrolment-desk.ts";
import { KitRenewal, type KitSource } from "./kit-renewal.ts";
import { requireKnownRecords, requireSameStorageKey } from "./known-records.ts";
import { loginAuthentication } from "./login-authentication.ts";
import { makeInvite } from "./make-invite.ts";
import { RefusalRecords } from "./refusal-records.ts";
import { serverFederation } from "./server-federation.ts";
import { ServerRevocations } from "./server-revocations.ts";
import type { ServerStorage } from "./storage.ts";
import { StormAftermath } from "./storm-aftermath.ts";

/** Options of {@link PhotinusServer}. */
export interface PhotinusServerOptions extends HttpHostOptions {
  /** The server's kit, opened. */
  readonly kit: OpenedKit;
  /** Limits of the coordinator that differ from its defaults. */
  readonly coordinator?: Partial<
    Pick<
      CoordinatorOptions,
      | "uploadSlots"
      | "concurrentJobs"
      | "jobsPerSite"
      | "waitingJobs"
      | "maximumModelBytes"
      | "reconnectGraceMs"
      | "observationBuffer"
      | "userIdleMs"
    >
  >;
  /** Times and limits of sessions that differ from their defaults. */
  readonly sessions?: Pick<AcceptOptions, "timings" | "limits">;
  /** Requests without an invite: how many may wait, and how many administrators have to approve one. */
  readonly requests?: Partial<RequestLimits>;
  /** File in which an administrator puts each new revocation list of the root, PEM; taken within a second. */
  readonly revocationFile?: string;
  /** Identity providers at login and on the dashboard. Default: none. */
  readonly authentication?: AuthenticationSettings;
  /** Secret of this server's client at the dashboard's provider. Default: the client has none. */
  readonly dashboardSecret?: string;
  /** Secret of this server's client at the provider of pages that take part. Default: the client has none. */
  readonly joinPageSecret?: string;
  /** More authenticators at login, such as an approval service of one's own. Default: none. */
  readonly authenticators?: readonly AuthenticatorRule[];
  /** File with one name a line of sites that joined by a link and are revoked; taken within a second. */
  readonly revokedSitesFile?: string;
  /** Who may do what with jobs, invites and certificates. Default: the default policy. */
  readonly policy?: PolicySource;
  /** Sites, scopes and studies of the project. Default: nothing is known of them, and there are no studies. */
  readonly roster?: RosterSource;
  /** Code of the server's owner: asked before things happen, told of what happened. Default: none. */
  readonly plugins?: readonly Plugin[];
  /** Where kit and `tls` are read anew while the server runs. Absent: they stay. */
  readonly kitSource?: KitSource;
}

/** What a server works with; all injected. */
export interface PhotinusServerModules {
  /** Stays open: who opened it closes it after {@link PhotinusServer.stop}. */
  readonly storage: ServerStorage;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Where log lines go. */
  readonly logger: Logger;
  /** Aggregators by name; must hold "weighted-mean". Default: those that come with Photinus. */
  readonly aggregators?: AggregatorRegistry;
}

/** The server of a project on Node: coordinator, sessions, HTTP, at one port. */
export class PhotinusServer {
  /** Read-only tokens of people who watch. */
  readonly tokens: ReadTokens;
  /** Jobs and rounds. */
  readonly coordinator: Coordinator;
  readonly #options: PhotinusServerOptions;
  readonly #modules: PhotinusServerModules;
  readonly #host: HttpHost;
  readonly #signIn: SignIn | undefined;
  readonly #refusals: RefusalRecords;
  readonly #aftermath: StormAftermath;
  readonly #revocations: ServerRevocations;
  readonly #current: CurrentKit;
  readonly #kitRenewal: KitRenewal | undefined;
  readonly #orders: LastingObjects;

  /** @throws HostError `ERR_CONFIG_INVALID` when the kit is not a server's; WireError `ERR_TLS_MODE` when it demands TLS that is not configured */
  constructor(options: PhotinusServerOptions, modules: PhotinusServerModules) {
    requireServerKit(options);
    this.#options = options;
    this.#modules = modules;
    const { kit, tls } = options;
    const current = new CurrentKit({ kit, ...(tls === undefined ? {} : { tls }) });
    this.#current = current;
    this.tokens = readTokens();
    const metrics = prometheusMetrics();
    this.#orders = new LastingObjects({
      ...modules,
      records: metadataObjectRecords(modules.storage.metadata),
    });
    this.#revocations = serverRevocations(options, modules);
    const revocations = this.#revocations.lists;
    const audit = auditLog(modules.storage.audit, modules.clock);
    const enrolment = enrolmentDesk(options.requests, {
      ...modules,
      current,
      revocations: this.#revocations,
    });
    const authorizer = policyAuthorizer(options.kit.identity.participant.org, options.policy);
    const plugins = new PluginHost(options.plugins ?? [], { ...modules, audit, metrics });
    const administration = new Administration(
      {},
      {
        ...{ ...modules, metadata: modules.storage.metadata, audit, revocations, enrolment, authorizer },
        ...{ roster: options.roster, plugins },
        sessions: () => this.coordinator.sessions(),
      },
    );
    const parts = { metrics, revocations, administration, authorizer, plugins };
    this.coordinator = createCoordinator(options, { ...modules, ...parts });
    const pace = new LoginPace(modules.clock);
    // One of each for all sessions.
    const session: SessionModules = {
      ...modules,
      metrics,
      chainCache: new ChainCache(),
      serverHellos: new ServerHellos(),
      timer: new SharedTimer(modules.clock),
      registry: builtInRegistry(),
      pace,
      revokedTokens: new TokenRevocations({ ...modules, metadata: modules.storage.metadata }),
    };
    const refusals = new RefusalRecords({ ...modules, audit });
    this.#refusals = refusals;
    const aftermath = new StormAftermath({ ...modules, bytesPassed, compactMemory });
    this.#aftermath = aftermath;
    const accept = acceptOptions(options, {
      ...{ ...modules, audit, refusals, revocations: this.#revocations, enrolment },
    });
    const federation = serverFederation(
      { accept: () => ({ ...accept, identity: current.kit.identity }) },
      { ...modules, coordinator: this.coordinator, session, refusals, aftermath, orders: this.#orders },
    );
    this.#signIn = dashboardSignIn(options, { ...modules, audit, refusals });
    const joinSignIn = joinPageSignIn(options, { ...modules, refusals });
    const readers = { tokens: this.tokens, signIn: this.#signIn, joinSignIn };
    this.#host = new HttpHost(options, { ...modules, ...readers, federation, metrics, pace });
    this.#kitRenewal = this.#renewal({ ...modules, audit, metrics, revocations });
  }

  /**
   * Takes up stored jobs, then listens. Idempotent.
   * @throws HostError `ERR_PORT_IN_USE`, `ERR_ADDRESS_UNUSABLE`, `ERR_CLEAR_NOT_LOOPBACK`; StorageError `ERR_STORAGE_VERSION`;
   *   ProvisionError `ERR_STORAGE_KEY_OTHER`
   */
  async start(): Promise<HostAddress> {
    const { crypto, storage } = this.#modules;
    const { metadata } = storage;
    await requireKnownRecords(metadata);
    const { storageKey } = this.#options.kit;
    if (storageKey !== undefined) await requireSameStorageKey(storageKey, { metadata, crypto });
    await this.#revocations.start();
    try {
      await this.#orders.prune(); // a record that is damaged shows before an order could have its effect twice
      await this.coordinator.start();
      const address = await this.#host.start();
      await this.#kitRenewal?.start();
      return address;
    } catch (error) {
      await this.coordinator.stop(); // nobody could reach the jobs that were taken up
      await this.#revocations.stop();
      throw error;
    }
  }

  /** Tells every peer, lets jobs stop where they are, closes the port. Idempotent. The storage stays open. */
  async stop(): Promise<void> {
    this.#signIn?.stop();
    await this.#kitRenewal?.stop();
    await this.#host.stop();
    this.#aftermath.stop();
    await this.coordinator.stop();
    await this.#refusals.stop();
    await this.#revocations.stop();
  }

  /**
   * Reads kit and certificates anew; sockets and sessions stay. A refusal is logged, counted and recorded.
   * @returns false when what was before stays in place, or this server has nowhere to read from
   */
  async reloadKit(): Promise<boolean> {
    return (await this.#kitRenewal?.reload()) ?? false;
  }

  /**
   * Revokes every certificate of sites that joined by a link; their sessions end at once.
   * @param names of the sites
   * @returns how many certificates were not revoked before
   */
  revokeEnrolled(names: readonly string[]): Promise<number> {
    return this.#revocations.revokeEnrolled(names);
  }

  /**
   * Makes an invite for pages and records it.
   * @returns the fragment of the join link, without `#`: a secret
   */
  invite(options: InviteOptions): Promise<string> {
    return makeInvite(options, { ...this.#modules, kit: this.#current.kit });
  }

  #renewal(modules: RenewalModules): KitRenewal | undefined {
    const { kitSource } = this.#options;
    const parts = {
      ...modules,
      replaceTls: (tls: TlsOptions) => this.#host.replaceTls(tls),
      renewed: ({ identity }: OpenedKit) => this.coordinator.renewIdentity(identity),
    };
    return (
      kitSource &&
      new KitRenewal(kitSource, {
        ...modules,
        take: (loaded) => this.#current.take(loaded, parts),
        refused: (code) => this.#current.refused(code, parts),
      })
    );
  }
}

interface RenewalModules extends PhotinusServerModules {
  readonly audit: AuditLog;
  readonly metrics: PrometheusMetrics;
  readonly revocations: RevocationLists;
}

/** Where all sites were provisioned for TLS on both sides, a server that does not ask for certificates admits none. */
function requireServerKit({ kit, tls }: PhotinusServerOptions): void {
  const { role, security } = kit.configuration;
  if (role !== "server" || kit.storageKey === undefined) {
    throw new HostError("ERR_CONFIG_INVALID", `the kit is that of a ${role}, expected a server's`);
  }
  if (security === "mtls" && tls?.clientRoot === undefined) {
    throw new WireError(
      "ERR_TLS_MODE",
      "every site was provisioned for mtls, and this server would admit none",
    );
  }
}

function serverRevocations(
  { kit, revocationFile: file, revokedSitesFile }: PhotinusServerOptions,
  { storage, ...modules }: PhotinusServerModules,
): ServerRevocations {
  return new ServerRevocations(
    {
      kit,
      ...(file === undefined ? {} : { file }),
      ...(revokedSitesFile === undefined ? {} : { revokedSitesFile }),
    },
    { ...modules, metadata: storage.metadata },
  );
}

function dashboardSignIn(
  { authentication, dashboardSecret: secret }: PhotinusServerOptions,
  modules: Omit<SignInModules, "secret">,
): SignIn | undefined {
  const provider = authentication?.dashboard;
  return provider && new SignIn(provider, { ...modules, secret });
}

function joinPageSignIn(
  { authentication, joinPageSecret: secret }: PhotinusServerOptions,
  modules: Omit<SignInModules, "secret" | "audit">,
): JoinSignIn | undefined {
  const provider = authentication?.joinPage;
  return provider && new JoinSignIn(provider, { ...modules, secret });
}

interface AcceptModules extends PhotinusServerModules {
  readonly audit: AuditLog;
  readonly refusals: RefusalRecords;
  readonly revocations: ServerRevocations;
  readonly enrolment: Enrolment | undefined;
}

function acceptOptions(
  { kit, sessions, authentication: settings, authenticators = [] }: PhotinusServerOptions,
  { storage, clock, crypto, audit, refusals, revocations, enrolment }: AcceptModules,
): AcceptOptions {
  const authentication = loginAuthentication(
    { settings, authenticators },
    { metadata: storage.metadata, clock, crypto, audit, refusals },
  );
  const { identity, configuration, root } = kit;
  const { project } = configuration;
  return {
    ...sessions,
    identity,
    noiseKey: crypto.generateAgreementKey(), // one for each process, and never stored
    project,
    root: root.der,
    revocations: revocations.lists,
    ...(authentication === undefined ? {} : { authentication }),
    objectRules: new Map([...DEFAULT_OBJECT_RULES, ...ADMINISTRATION_OBJECT_RULES]),
    ...(enrolment === undefined
      ? {}
      : {
          enrolment: recordedEnrolment(
            {
              ...enrolment.authority,
              requests: enrolment.requests,
              enrolled: (name, leaf) => revocations.enrolled(name, leaf),
            },
            { metadata: storage.metadata, clock, crypto, audit, refusals },
          ),
        }),
  };
}
