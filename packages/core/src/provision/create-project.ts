import type { Bytes } from "../bytes/index.ts";
import {
  encodePem,
  type FileSigner,
  GENERATED_SECRET_ITERATIONS,
  issueRevocationList,
  issueRoot,
  PASSPHRASE_ITERATIONS,
  REVOCATION_LIFETIME_MS,
  requireName,
  sealPrivateKey,
} from "../pki/index.ts";
import type { Clock, CryptoProvider, SignatureAlgorithm, SigningKey } from "../platform/index.ts";
import { generateSecret, type StartupKit } from "./create-kit.ts";
import { type ProjectDefinition, parseProjectDefinition } from "./definition.ts";
import { lifetimeOf } from "./kit-request.ts";
import type { ProjectState } from "./project-state.ts";
import { updateProject } from "./update-project.ts";

/** Options of {@link createProject}. */
export interface CreateProjectOptions {
  /** Root key: 3 (ECDSA P-384), 2 (RSA-PSS 3072) or 1 (ECDSA P-256); default: what the definition says, else 3. */
  readonly rootAlgorithm?: SignatureAlgorithm;
  /** Passphrase that a person chose for the root key; a secret of 128 bits is generated otherwise. */
  readonly rootPassphrase?: string;
  /** Key of an external signer in place of a key that is made here; `crypto` must sign by it (`signAbroad`). */
  readonly rootKey?: SigningKey;
  /** ms that the participants' certificates and kits are valid where the definition says nothing; default 360 days. */
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
  /** Private key, encrypted, PEM; `undefined` when an external signer holds it. */
  readonly keyPem: Bytes | undefined;
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
  /** Names that make their keys themselves: their kits wait for a request. */
  readonly waiting: readonly string[];
  /** What was issued. */
  readonly state: ProjectState;
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
  const root = await createRoot(project, modules, options);
  const list = {
    number: 1,
    nowMs: modules.clock.now(),
    lifetimeMs: REVOCATION_LIFETIME_MS.root,
    revoked: [],
  };
  const { der: latest } = await issueRevocationList(list, root, modules);
  const state: ProjectState = { version: 1, project: project.name, listNumber: 1, participants: [] };
  const { lifetimeMs } = options;
  const made = await updateProject(project, { root, latest, state }, modules, {
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  });
  const sealed = await sealRoot(root, options, modules.crypto);
  const revocationListPem = encodePem("X509 CRL", latest);
  return {
    definition: project,
    root: { ...sealed, revocationListPem },
    kits: made.kits,
    waiting: made.waiting,
    state: made.state,
  };
}

async function createRoot(
  project: ProjectDefinition,
  modules: ProvisionModules,
  { rootAlgorithm, rootKey }: CreateProjectOptions,
): Promise<FileSigner> {
  const algorithm = rootAlgorithm ?? (project.rootKey === "RSA-3072" ? 2 : 3);
  const key = rootKey ?? (await modules.crypto.generateSigningKey(algorithm, { extractable: true }));
  const lifetimeMs = lifetimeOf(project, "root");
  const request = {
    project: requireName(project.name, "the project"),
    key,
    nowMs: modules.clock.now(),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  };
  return { certificate: await issueRoot(request, modules), key };
}

async function sealRoot(
  { certificate, key }: FileSigner,
  options: CreateProjectOptions,
  crypto: CryptoProvider,
): Promise<Omit<ProjectRoot, "revocationListPem">> {
  const common = {
    certificate: certificate.der,
    fingerprint: certificate.digest,
    certificatePem: encodePem("CERTIFICATE", certificate.der),
  };
  if (options.rootKey !== undefined) return { ...common, keyPem: undefined, secret: undefined };
  const { rootPassphrase: chosen } = options;
  const secret = chosen === undefined ? generateSecret(crypto) : undefined;
  const iterations = chosen === undefined ? GENERATED_SECRET_ITERATIONS : PASSPHRASE_ITERATIONS;
  const passphrase = chosen ?? secret ?? "";
  const pkcs8 = await crypto.exportSigningKey(key);
  const sealed = await sealPrivateKey(pkcs8, { passphrase, iterations }, { crypto });
  return { ...common, keyPem: encodePem("ENCRYPTED PRIVATE KEY", sealed), secret };
}
