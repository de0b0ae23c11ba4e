import type { Bytes } from "../bytes/index.ts";
import { PkiError, ProvisionError } from "../errors/index.ts";
import {
  algorithmOf,
  certificatesFromPem,
  decodePem,
  encodePem,
  loadIdentity,
  openPrivateKey,
  parseCertificate,
} from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { encodeKitConfiguration, type KitConfiguration, parseKitConfiguration } from "./kit-configuration.ts";
import { KIT_FILE, type KitFiles } from "./kit-files.ts";
import { type OpenedKit, tlsAuthoritiesOf } from "./open-kit.ts";

/** What a site that enrolled starts with: it made these files itself, so there is no manifest that a project signed. */
export type EnrolledKit = Pick<OpenedKit, "configuration" | "root" | "identity" | "tlsAuthorities">;

/** The files that enrolment yields beside the key, which was there before. */
export function enrolledKitFiles(
  { chain, root }: { readonly chain: readonly Bytes[]; readonly root: Bytes },
  configuration: KitConfiguration,
): KitFiles {
  return new Map([
    [KIT_FILE.certificate, encodePem("CERTIFICATE", ...chain)],
    [KIT_FILE.root, encodePem("CERTIFICATE", root)],
    [KIT_FILE.configuration, encodeKitConfiguration(configuration)],
  ]);
}

/** True for the folder of a site that enrolled: certificates of the enrolment CA, and no manifest. */
export function isEnrolledKit(files: KitFiles): boolean {
  const certificate = files.get(KIT_FILE.certificate);
  // Only what the enrolment CA issued goes without a manifest: a kit whose manifest was taken away is still a kit.
  return (
    !files.has(KIT_FILE.manifest) && certificate !== undefined && certificatesFromPem(certificate).length > 1
  );
}

/** What the folder of a site that enrolled says without its secret; nobody has signed it. */
export type ReadEnrolledKit = Pick<EnrolledKit, "configuration" | "root"> & {
  /** Own certificate chain, DER, leaf first; not verified. */
  readonly chain: readonly Bytes[];
};

/**
 * Reads the folder of a site that enrolled, without its key.
 * @throws ProvisionError `ERR_KIT_*`; PkiError `ERR_CERTIFICATE_MALFORMED`
 */
export async function readEnrolledKit(
  files: KitFiles,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<ReadEnrolledKit> {
  const configuration = parseKitConfiguration(file(files, KIT_FILE.configuration));
  const [rootDer] = certificatesFromPem(file(files, KIT_FILE.root));
  const chain = certificatesFromPem(file(files, KIT_FILE.certificate));
  if (rootDer === undefined || chain.length === 0) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", "the folder lacks a certificate");
  }
  return { configuration, root: await parseCertificate(rootDer, { crypto }), chain };
}

/**
 * Opens the folder of a site that enrolled.
 * @param options `secret`: what opens its key
 * @throws ProvisionError `ERR_KIT_*`; PkiError `ERR_KEY_UNREADABLE`, `ERR_CERTIFICATE_*` as when a peer verified it
 */
export async function openEnrolledKit(
  files: KitFiles,
  { nowMs, secret }: { readonly nowMs: number; readonly secret: string },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<EnrolledKit> {
  const { configuration, root, chain } = await readEnrolledKit(files, { crypto });
  const [leaf] = chain;
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", file(files, KIT_FILE.key));
  if (leaf === undefined || sealed === undefined) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", "the folder lacks a certificate or key");
  }
  const { publicKey } = await parseCertificate(leaf, { crypto });
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  const signingKey = await crypto.importSigningKey(pkcs8, publicKey.spki, algorithmOf(publicKey));
  const { project, name } = configuration;
  const whose = { root: root.der, project, name, roles: ["site"], nowMs } as const;
  const identity = await loadIdentity({ chain, signingKey }, whose, { crypto });
  return { configuration, root, identity, tlsAuthorities: tlsAuthoritiesOf(files) };
}

function file(files: KitFiles, path: string): Bytes {
  const content = files.get(path);
  if (content === undefined) throw new ProvisionError("ERR_KIT_MISSING_FILE", `${path} is missing`);
  return content;
}
