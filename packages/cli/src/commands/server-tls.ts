import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { HostError, PhotinusError } from "@photinus/core/errors";
import { KIT_FILE, LOCAL_MACHINES, LOCAL_SECRET } from "@photinus/core/provision";
import { type KitOfHost, pem, type TlsIdentity } from "@photinus/node-platform";
import type { KitSource, LoadedKit, TlsOptions } from "@photinus/node-server";
import { exists } from "../project/folder-change.ts";
import { withLaterMachines } from "./later-machines.ts";
import { type KitOptions, openKitFolder } from "./open-kit-folder.ts";

/** Options that say which certificates a server presents. */
export interface ServerTlsOptions extends KitOptions {
  /** No TLS of its own. */
  readonly clear?: boolean;
  /** PEM chain of a public CA for the pages. */
  readonly publicCertificate?: string;
  /** Its private key, PEM. */
  readonly publicKey?: string;
}

/** A chain of four certificates is smaller. */
const MAX_PEM_BYTES = 65_536;

/**
 * The TLS of a server, `undefined` for one in clear, and where it is read anew together with the kit.
 * @throws HostError `ERR_CONFIG_INVALID`
 */
export async function serverTls(
  ofHost: KitOfHost,
  options: ServerTlsOptions,
): Promise<{ readonly tls: TlsOptions | undefined; readonly source: KitSource }> {
  const { publicCertificate, publicKey } = options;
  if ((publicCertificate === undefined) !== (publicKey === undefined)) {
    throw new HostError("ERR_CONFIG_INVALID", "--public-certificate and --public-key belong together");
  }
  const isClear = options.clear === true || ofHost.kit.configuration.security === "clear";
  if (isClear && publicCertificate !== undefined) {
    throw new HostError("ERR_CONFIG_INVALID", "--public-certificate is of no use to a server in clear");
  }
  const load = async (): Promise<LoadedKit> => {
    const renewed = await openAgain(ofHost, options);
    const kit = await withLaterMachines(renewed.kit, options.kit);
    return isClear ? { kit } : { kit, tls: await tlsOf(renewed, options) };
  };
  const source = { files: watchedFiles(options), load };
  return { tls: isClear ? undefined : await tlsOf(ofHost, options), source };
}

function watchedFiles(options: ServerTlsOptions): readonly string[] {
  const ofKit = [...Object.values(KIT_FILE), LOCAL_MACHINES, LOCAL_SECRET];
  const others = [options.passphraseFile, options.publicCertificate, options.publicKey];
  return [...ofKit.map((name) => join(options.kit, name)), ...others.filter((file) => file !== undefined)];
}

async function tlsOf({ kit, tls }: KitOfHost, options: ServerTlsOptions): Promise<TlsOptions> {
  const { publicCertificate, publicKey } = options;
  const forPages =
    publicCertificate === undefined || publicKey === undefined
      ? {}
      : { publicIdentity: await publicIdentity(publicCertificate, publicKey) };
  return { ...tls, clientRoot: pem("CERTIFICATE", kit.root.der), ...forPages };
}

async function publicIdentity(certificate: string, privateKey: string): Promise<TlsIdentity> {
  return { certificate: await readPem(certificate), privateKey: await readPem(privateKey) };
}

/** Links are followed: certbot and Kubernetes exchange certificates by turning one. */
async function readPem(file: string): Promise<string> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${file} cannot be read`, { cause });
  });
  if (!found.isFile() || found.size > MAX_PEM_BYTES) {
    throw new HostError("ERR_CONFIG_INVALID", `${file} is no file of at most ${MAX_PEM_BYTES} bytes`);
  }
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${file} cannot be read`, { cause });
  });
}

/** The kit as it lies there now, opened by the first of the secrets at hand that does. */
async function openAgain({ secret }: KitOfHost, { kit, passphraseFile }: KitOptions): Promise<KitOfHost> {
  // A descriptor yields its secret once, and systemd shows a service the credential that it was started with: the secret
  // of a kit that was issued again may lie in the kit's own folder.
  const files = [join(kit, LOCAL_SECRET), passphraseFile].filter((file) => file !== undefined);
  for (const file of files) {
    if (!(await exists(file))) continue;
    try {
      return await openKitFolder({ kit, passphraseFile: file });
    } catch (error) {
      if (!isWrongSecret(error)) throw error;
    }
  }
  return await openKitFolder({ kit, secret });
}

function isWrongSecret(error: unknown): boolean {
  return error instanceof PhotinusError && error.code === "ERR_KEY_UNREADABLE";
}
