import { HostError } from "@photinus/core/errors";
import { decodePem, openPrivateKey } from "@photinus/core/pki";
import {
  type EnrolledKit,
  isEnrolledKit,
  KIT_FILE,
  type KitFiles,
  openEnrolledKit,
} from "@photinus/core/provision";
import {
  type KitOfHost,
  nodeCrypto,
  openHostKit,
  readSecret,
  readSecretFile,
  type TlsIdentity,
  tlsIdentity,
} from "@photinus/node-platform";
import { askSecret } from "../project/ask-secret.ts";
import { readOwnKit } from "../project/own-kit.ts";

/** Options that say where a kit is and where its secret comes from. */
export interface KitOptions {
  /** Folder of the kit. */
  readonly kit: string;
  /** File descriptor that yields the secret. */
  readonly passphraseFd?: number;
  /** File that holds the secret, such as systemd's LoadCredential makes. */
  readonly passphraseFile?: string;
  /** The secret itself, where a program already has it; no option of the command line. */
  readonly secret?: string;
}

/**
 * The secret of a kit, from where the options say.
 * @throws HostError `ERR_CONFIG_INVALID` when they do not
 */
export async function secretOf({ passphraseFd, passphraseFile, secret }: KitOptions): Promise<string> {
  if (secret !== undefined) return secret;
  if (passphraseFd !== undefined) return await readSecret(passphraseFd);
  if (passphraseFile === undefined) {
    const typed = await askSecret("Secret of the kit");
    if (typed !== undefined) return typed;
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "name the kit's secret by --passphrase-fd or --passphrase-file",
    );
  }
  return await readSecretFile(passphraseFile);
}

/**
 * Reads and opens the kit of a host.
 * @throws ProvisionError `ERR_KIT_*`, PkiError `ERR_KEY_UNREADABLE`, HostError `ERR_CONFIG_INVALID`
 */
export async function openKitFolder(options: KitOptions): Promise<KitOfHost> {
  const [files, secret] = await Promise.all([readOwnKit(options.kit), secretOf(options)]);
  return await openHostKit(files, secret);
}

/** What a site starts with: a kit, or what it has got by enrolling. */
export interface SiteFolder {
  readonly kit: EnrolledKit;
  readonly tls: TlsIdentity;
  /** True for a site that enrolled: its certificates are renewed and kept in the folder. */
  readonly hasEnrolled: boolean;
}

/**
 * Opens the files of a site's folder, or of another participant's kit.
 * @throws ProvisionError `ERR_KIT_*`, PkiError `ERR_KEY_UNREADABLE`, HostError `ERR_CONFIG_INVALID`
 */
export async function openSiteFiles(
  files: KitFiles,
  secret: string,
  nowMs: number = Date.now(),
): Promise<SiteFolder> {
  if (!isEnrolledKit(files)) return { ...(await openHostKit(files, secret, nowMs)), hasEnrolled: false };
  const crypto = nodeCrypto();
  const kit = await openEnrolledKit(files, { nowMs, secret }, { crypto });
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", files.get(KIT_FILE.key) ?? new Uint8Array(0));
  const pkcs8 = await openPrivateKey(sealed ?? new Uint8Array(0), secret, { crypto });
  return { kit, tls: tlsIdentity(kit.identity.participant.chain, pkcs8), hasEnrolled: true };
}

/**
 * Reads and opens the folder of a site.
 * @throws ProvisionError `ERR_KIT_*`, PkiError `ERR_KEY_UNREADABLE`, HostError `ERR_CONFIG_INVALID`
 */
export async function openSiteFolder(options: KitOptions): Promise<SiteFolder> {
  const [files, secret] = await Promise.all([readOwnKit(options.kit), secretOf(options)]);
  return await openSiteFiles(files, secret);
}
