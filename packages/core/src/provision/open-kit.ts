import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError, ProvisionError, type ProvisionErrorCode } from "../errors/index.ts";
import {
  algorithmOf,
  type Certificate,
  certificatesFromPem,
  decodePem,
  type Identity,
  type Issuer,
  loadIdentity,
  openPrivateKey,
  parseCertificate,
  verifyDetached,
} from "../pki/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import { type KitConfiguration, parseKitConfiguration } from "./kit-configuration.ts";
import { KIT_FILE, KIT_LIMITS, type KitFiles, LOCAL_FOLDER } from "./kit-files.ts";
import { type KitManifest, ownKeysOf, parseKitManifest, requireListedFiles } from "./kit-manifest.ts";
import { type Machine, parseMachines } from "./machines.ts";
import { openStorageKey } from "./storage-key.ts";

/** What a kit has to be to be accepted. */
export interface KitExpectations {
  /** Local time, ms since 1970. */
  readonly nowMs: number;
  /** Root that the kit has to be of, DER; without it the kit's own root is believed. */
  readonly root?: Bytes;
  /** SHA-256 of the root that the kit has to be of, as an administrator told it. */
  readonly rootFingerprint?: Bytes;
  /**
   * True where the kit is opened next, which proves the keys that its owner made. Else they are refused as any file that was
   * added: nothing that was signed vouches for them.
   */
  readonly admitsOwnKeys?: boolean;
}

/** A kit whose every file is as the project signed it. */
export interface VerifiedKit {
  /** What the project signed. */
  readonly manifest: KitManifest;
  /** Who this is and where the server is. */
  readonly configuration: KitConfiguration;
  /** Root certificate of the project. */
  readonly root: Certificate;
  /** Names of keys that the owner made: not signed, and proved by opening the kit only. */
  readonly ownKeys: readonly string[];
}

/** A kit with its keys. */
export interface OpenedKit extends VerifiedKit {
  /** Certificate and key of the participant. */
  readonly identity: Identity;
  /** Server: the CA by which pages enrol. */
  readonly enrolment: Required<Issuer> | undefined;
  /** Server: all machines that have kits, by name; empty in other kits. */
  readonly machines: ReadonlyMap<string, Machine>;
  /** Server: revocation list of the root as of the kit's issue, DER. */
  readonly revocationList: Bytes | undefined;
  /** Server: 32 bytes that wrap the keys of everything at rest. */
  readonly storageKey: Bytes | undefined;
  /** CAs of a proxy that ends TLS, DER: with the root the only ones for TLS; none means the root and the public ones. */
  readonly tlsAuthorities: readonly Bytes[];
}

/**
 * Verifies a kit against its signed manifest, without its secret. Nothing but the root certificate is parsed before the
 * signature is verified.
 *
 * @throws ProvisionError `ERR_KIT_*`; PkiError when a file that was signed is unusable
 */
export async function verifyKit(
  files: KitFiles,
  expectations: KitExpectations,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<VerifiedKit> {
  requireLimits(files);
  const root = await readRoot(files, expectations, crypto);
  const manifestBytes = file(files, KIT_FILE.manifest);
  await requireSignature(manifestBytes, file(files, KIT_FILE.signature), { root, crypto });
  const manifest = parseKitManifest(manifestBytes);
  requireValidAt(manifest, expectations.nowMs);
  const ownKeys = ownKeysOf(manifest, files);
  await requireListedFiles(manifest, files, { own: expectations.admitsOwnKeys ? ownKeys : [], crypto });
  const configuration = parseKitConfiguration(file(files, KIT_FILE.configuration));
  const { project, participant, role } = manifest;
  const isSame =
    configuration.name === participant && configuration.project === project && configuration.role === role;
  if (!isSame) throw new ProvisionError("ERR_KIT_FOREIGN", "config.json is for another participant");
  return { manifest, configuration, root, ownKeys };
}

/**
 * Verifies a kit and opens its keys.
 *
 * @param options `secret`: what was handed over apart from the kit
 * @throws ProvisionError `ERR_KIT_*`; PkiError `ERR_KEY_UNREADABLE` for a wrong secret, `ERR_CERTIFICATE_*`
 */
export async function openKit(
  files: KitFiles,
  { secret, ...expectations }: Omit<KitExpectations, "admitsOwnKeys"> & { readonly secret: string },
  modules: { readonly crypto: CryptoProvider },
): Promise<OpenedKit> {
  const verified = await verifyKit(files, { ...expectations, admitsOwnKeys: true }, modules);
  const { manifest, root } = verified;
  const chain = certificatesFromPem(file(files, KIT_FILE.certificate));
  const [leaf] = chain;
  if (leaf === undefined) throw new PkiError("ERR_CERTIFICATE_MALFORMED", "certificate.pem is empty");
  const keyFile = file(files, KIT_FILE.key);
  const signingKey = await openSigningKey(keyFile, await parseCertificate(leaf, modules), {
    secret,
    ...modules,
  });
  const { project, participant: name, role } = manifest;
  const whose = { root: root.der, project, name, roles: [role], nowMs: expectations.nowMs };
  const identity = await asForeign(() => loadIdentity({ chain, signingKey }, whose, modules));
  const ofServer = await openServerFiles(files, secret, modules);
  return { ...verified, identity, tlsAuthorities: tlsAuthoritiesOf(files), ...ofServer };
}

/** Public authorities of the proxy before the server; none by default. */
export function tlsAuthoritiesOf(files: KitFiles): readonly Bytes[] {
  const pem = files.get(KIT_FILE.tlsAuthorities);
  return pem === undefined ? [] : certificatesFromPem(pem);
}

function requireLimits(files: KitFiles): void {
  const own = [...files].filter(([path]) => !path.startsWith(LOCAL_FOLDER));
  const large = own.find(([, content]) => content.length > KIT_LIMITS.fileBytes);
  if (large !== undefined) throw new ProvisionError("ERR_KIT_UNREADABLE", `${large[0]} is larger than 1 MiB`);
  if (own.length > KIT_LIMITS.files) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", `more than ${KIT_LIMITS.files} files`);
  }
}

function file(files: KitFiles, path: string): Bytes {
  const content = files.get(path);
  if (content === undefined) throw new ProvisionError("ERR_KIT_MISSING_FILE", `${path} is missing`);
  return content;
}

async function readRoot(
  files: KitFiles,
  { root: pinned, rootFingerprint }: KitExpectations,
  crypto: CryptoProvider,
): Promise<Certificate> {
  const pem = file(files, KIT_FILE.root);
  const [der, ...more] = await as("ERR_KIT_FILE_CHANGED", "root.pem", async () => certificatesFromPem(pem));
  if (der === undefined || more.length > 0) {
    throw new ProvisionError("ERR_KIT_FILE_CHANGED", "root.pem does not hold one certificate");
  }
  const isOther =
    (pinned !== undefined && !equalBytes(der, pinned)) ||
    (rootFingerprint !== undefined && !equalBytes(await crypto.sha256(der), rootFingerprint));
  if (isOther) {
    throw new ProvisionError("ERR_KIT_FOREIGN", "the kit is of a project with another root");
  }
  return as("ERR_KIT_FILE_CHANGED", "root.pem", () => parseCertificate(der, { crypto }));
}

async function requireSignature(
  manifest: Bytes,
  pem: Bytes,
  { root, crypto }: { readonly root: Certificate; readonly crypto: CryptoProvider },
): Promise<void> {
  await as("ERR_KIT_MANIFEST_INVALID", KIT_FILE.signature, async () => {
    const [signature, ...more] = decodePem("CMS", pem);
    if (signature === undefined || more.length > 0) throw new RangeError("one signature expected");
    await verifyDetached(signature, { content: manifest, signer: root }, { crypto });
  });
}

function requireValidAt({ notBeforeMs, notAfterMs }: KitManifest, nowMs: number): void {
  if (nowMs < notBeforeMs) {
    throw new ProvisionError("ERR_KIT_NOT_YET_VALID", `valid from ${new Date(notBeforeMs).toISOString()} on`);
  }
  if (nowMs > notAfterMs) {
    throw new ProvisionError("ERR_KIT_EXPIRED", `expired at ${new Date(notAfterMs).toISOString()}`);
  }
}

/** What is wrong with a file before it is known to be signed means: this is not the file of the kit. */
async function as<T>(code: ProvisionErrorCode, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (!(cause instanceof PkiError) && !(cause instanceof RangeError) && !(cause instanceof TypeError))
      throw cause;
    throw new ProvisionError(code, `${path}: ${cause.message}`, { cause });
  }
}

async function asForeign(load: () => Promise<Identity>): Promise<Identity> {
  try {
    return await load();
  } catch (cause) {
    if (!(cause instanceof PkiError) || cause.code !== "ERR_CERTIFICATE_NAME") throw cause;
    throw new ProvisionError("ERR_KIT_FOREIGN", "certificate.pem is for another participant", { cause });
  }
}

interface KeyModules {
  readonly secret: string;
  readonly crypto: CryptoProvider;
}

async function openSigningKey(
  pem: Bytes,
  { publicKey }: Certificate,
  { secret, crypto }: KeyModules,
): Promise<SigningKey> {
  const [sealed, ...more] = keyBlocks(pem);
  if (sealed === undefined || more.length > 0) throw new PkiError("ERR_KEY_UNREADABLE", "one key expected");
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  return crypto.importSigningKey(pkcs8, publicKey.spki, algorithmOf(publicKey));
}

function keyBlocks(pem: Bytes): readonly Bytes[] {
  try {
    return decodePem("ENCRYPTED PRIVATE KEY", pem);
  } catch (cause) {
    throw new PkiError("ERR_KEY_UNREADABLE", "the file does not hold an encrypted key in PEM", { cause });
  }
}

async function openServerFiles(
  files: KitFiles,
  secret: string,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Pick<OpenedKit, "enrolment" | "storageKey" | "machines" | "revocationList">> {
  const wrapped = files.get(KIT_FILE.storageKey);
  const storageKey = wrapped === undefined ? undefined : await openStorageKey(wrapped, secret, crypto);
  const list = files.get(KIT_FILE.machines);
  const machines = list === undefined ? new Map<string, Machine>() : parseMachines(list);
  const listPem = files.get(KIT_FILE.revocationList);
  const revocationList = listPem === undefined ? undefined : decodePem("X509 CRL", listPem)[0];
  const common = { storageKey, machines, revocationList };
  const pem = files.get(KIT_FILE.enrolmentCertificate);
  if (pem === undefined) return { ...common, enrolment: undefined };
  const [der] = certificatesFromPem(pem);
  if (der === undefined) throw new PkiError("ERR_CERTIFICATE_MALFORMED", "enrolment.pem is empty");
  const certificate = await parseCertificate(der, { crypto });
  const key = await openSigningKey(file(files, KIT_FILE.enrolmentKey), certificate, { secret, crypto });
  return { ...common, enrolment: { certificate, key } };
}
