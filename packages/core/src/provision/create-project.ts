import type { Bytes } from "../bytes/index.ts";
import {
  type Certificate,
  encodePem,
  type FileSigner,
  GENERATED_SECRET_ITERATIONS,
  issueEnrolmentCa,
  issueRevocationList,
  issueRoot,
  type Name,
  PASSPHRASE_ITERATIONS,
  REVOCATION_LIFETIME_MS,
  type Role,
  requireName,
  type Subject,
  sealPrivateKey,
  subjectOf,
} from "../pki/index.ts";
import type { Clock, CryptoProvider, SigningKey } from "../platform/index.ts";
import { createKit, generateSecret, type KitRequest, type StartupKit } from "./create-kit.ts";
import {
  type AdapterDefinition,
  type ConnectionSecurity,
  type ProjectDefinition,
  parseProjectDefinition,
  type SiteDefinition,
  type UserDefinition,
} from "./definition.ts";
import { serverAddresses } from "./kit-configuration.ts";

/** Options of {@link createProject}. */
export interface CreateProjectOptions {
  /** Root key: 3 (ECDSA P-384, the default), 2 (RSA-PSS 3072) or 1 (ECDSA P-256). */
  readonly rootAlgorithm?: 1 | 2 | 3;
  /** Passphrase that a person chose for the root key; a secret of 128 bits is generated otherwise. */
  readonly rootPassphrase?: string;
  /** ms that the participants' certificates and kits are valid; default 360 days. */
  readonly lifetimeMs?: number;
}

/** What {@link createProject} works with. */
export interface ProvisionModules {
  /** Makes and uses the keys. */
  readonly crypto: CryptoProvider;
  /** Tells the time of issue. */
  readonly clock: Pick<Clock, "now">;
}

/** The root of a project, as its administrator keeps it, offline where possible. */
export interface ProjectRoot {
  /** Root certificate, DER. */
  readonly certificate: Bytes;
  /** SHA-256 of the certificate: what join links carry. */
  readonly fingerprint: Bytes;
  /** Root certificate, PEM. */
  readonly certificatePem: Bytes;
  /** Private key, encrypted, PEM. */
  readonly keyPem: Bytes;
  /** First revocation list, which names nobody, PEM; kept beside the certificate, for the next one counts on. */
  readonly revocationListPem: Bytes;
  /** What opens the key, when it was generated. Kept apart from it. */
  readonly secret: string | undefined;
}

/** A project that was just made. */
export interface ProvisionedProject {
  /** As it was checked. */
  readonly definition: ProjectDefinition;
  /** Where all trust begins. */
  readonly root: ProjectRoot;
  /** One kit per server, site, adapter and user, by name. */
  readonly kits: ReadonlyMap<string, StartupKit>;
}

/**
 * Makes a project: root, enrolment CA (its key goes into the server's kit), and a kit for each participant.
 *
 * @param definition checked here
 * @throws ProvisionError `ERR_PROJECT_INVALID`
 */
export async function createProject(
  definition: unknown,
  modules: ProvisionModules,
  options: CreateProjectOptions = {},
): Promise<ProvisionedProject> {
  const project = parseProjectDefinition(definition);
  const name = requireName(project.name, "the project");
  const { crypto, clock } = modules;
  const nowMs = clock.now();
  const key = await crypto.generateSigningKey(options.rootAlgorithm ?? 3, { extractable: true });
  const root = { certificate: await issueRoot({ project: name, key, nowMs }, modules), key };
  const enrolment = await createEnrolmentCa(name, root, modules);
  const list = { number: 1, nowMs, lifetimeMs: REVOCATION_LIFETIME_MS.root, revoked: [] };
  const { der: revocationList } = await issueRevocationList(list, root, modules);
  const kits = new Map<string, StartupKit>();
  for (const request of kitRequests(project, { enrolment, revocationList })) {
    const { lifetimeMs } = options;
    const timed = { ...request, nowMs, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) };
    kits.set(request.subject.name, await createKit(timed, root, modules));
  }
  const sealed = await sealRoot(root, options.rootPassphrase, crypto);
  const revocationListPem = encodePem("X509 CRL", revocationList);
  return { definition: project, root: { ...sealed, revocationListPem }, kits };
}

interface Authority {
  readonly certificate: Certificate;
  readonly key: SigningKey;
}

async function createEnrolmentCa(
  project: Name,
  root: FileSigner,
  modules: ProvisionModules,
): Promise<Authority> {
  const key = await modules.crypto.generateSigningKey(1, { extractable: true });
  const request = { project, publicKey: key.publicKey, nowMs: modules.clock.now() };
  return { certificate: await issueEnrolmentCa(request, root, modules), key };
}

async function sealRoot(
  { certificate, key }: FileSigner,
  chosen: string | undefined,
  crypto: CryptoProvider,
): Promise<Omit<ProjectRoot, "revocationListPem">> {
  const secret = chosen === undefined ? generateSecret(crypto) : undefined;
  const iterations = chosen === undefined ? GENERATED_SECRET_ITERATIONS : PASSPHRASE_ITERATIONS;
  const passphrase = chosen ?? secret ?? "";
  const pkcs8 = await crypto.exportSigningKey(key);
  const sealed = await sealPrivateKey(pkcs8, { passphrase, iterations }, { crypto });
  return {
    certificate: certificate.der,
    fingerprint: certificate.digest,
    certificatePem: encodePem("CERTIFICATE", certificate.der),
    keyPem: encodePem("ENCRYPTED PRIVATE KEY", sealed),
    secret,
  };
}

type UntimedRequest = Omit<KitRequest, "nowMs" | "lifetimeMs">;

interface OfServer {
  readonly enrolment: Authority;
  readonly revocationList: Bytes;
}

function kitRequests(project: ProjectDefinition, ofServer: OfServer): readonly UntimedRequest[] {
  const { server, sites, users, adapters = [] } = project;
  const connection = (security: ConnectionSecurity): KitRequest["connection"] => ({
    server: { name: server.name, addresses: serverAddresses(server.hosts, server.port, security) },
    security,
  });
  const request = (
    { name, org }: AdapterDefinition | SiteDefinition | UserDefinition,
    role: Role,
    security: ConnectionSecurity,
  ) => ({
    subject: checkedSubject(project.name, role, name),
    org: requireName(org, "the organization"),
    connection: connection(security),
  });
  const machineNames = [server, ...sites, ...adapters].map((machine) => machine.name);
  return [
    { ...request(server, "server", commonSecurity(sites)), hosts: server.hosts, machineNames, ...ofServer },
    ...sites.map((site) => request(site, "site", site.security ?? "mtls")),
    ...adapters.map((adapter) => request(adapter, "adapter", adapter.security ?? "mtls")),
    ...users.map((user) => request(user, user.role, commonSecurity(sites))),
  ];
}

/** What the kits of server and users say: what all sites have in common, else TLS of the server. */
function commonSecurity(sites: readonly SiteDefinition[]): ConnectionSecurity {
  const used = sites.map(({ security = "mtls" }) => security);
  if (used.length > 0 && used.every((security) => security === "clear")) return "clear";
  return used.every((security) => security === "mtls") ? "mtls" : "tls";
}

function checkedSubject(project: string, role: Role, name: string): Subject {
  const subject = subjectOf(project, role, name);
  if (subject === undefined) throw new RangeError(`unreachable: the definition was checked, ${name}`);
  return subject;
}
