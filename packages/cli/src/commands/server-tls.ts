import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { equalBytes } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { KIT_FILE } from "@photinus/core/provision";
import { pem, type TlsIdentity } from "@photinus/node-platform";
import type { TlsOptions, TlsSource } from "@photinus/node-server";
import { type KitOfHost, type KitOptions, openKitFolder } from "./open-kit-folder.ts";

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
 * The TLS of a server and where it is read anew; `undefined` for one in clear.
 * @throws HostError `ERR_CONFIG_INVALID`
 */
export async function serverTls(
  ofHost: KitOfHost,
  options: ServerTlsOptions,
): Promise<{ readonly tls: TlsOptions; readonly source: TlsSource } | undefined> {
  const { publicCertificate, publicKey } = options;
  if ((publicCertificate === undefined) !== (publicKey === undefined)) {
    throw new HostError("ERR_CONFIG_INVALID", "--public-certificate and --public-key belong together");
  }
  if (options.clear === true || ofHost.kit.configuration.security === "clear") {
    if (publicCertificate === undefined) return undefined;
    throw new HostError("ERR_CONFIG_INVALID", "--public-certificate is of no use to a server in clear");
  }
  const files = [KIT_FILE.manifest, KIT_FILE.signature, KIT_FILE.certificate, KIT_FILE.key].map((name) =>
    join(options.kit, name),
  );
  const source = {
    files: [...files, ...(publicCertificate === undefined ? [] : [publicCertificate, publicKey ?? ""])],
    load: async () => await tlsOf(await sameParticipant(ofHost, options), options),
  };
  return { tls: await tlsOf(ofHost, options), source };
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

/** The kit as it lies there now: another certificate, but of nobody else. */
async function sameParticipant({ kit, secret }: KitOfHost, options: KitOptions): Promise<KitOfHost> {
  const { passphraseFile } = options;
  // A descriptor yields its secret once; a file may hold that of a kit that was issued again.
  const renewed = await openKitFolder(passphraseFile === undefined ? { kit: options.kit, secret } : options);
  const [before, after] = [kit.identity.participant, renewed.kit.identity.participant];
  const isSame = before.name === after.name && before.project === after.project && before.role === after.role;
  if (isSame && equalBytes(kit.root.der, renewed.kit.root.der)) return renewed;
  throw new HostError("ERR_CONFIG_INVALID", `${options.kit} holds the kit of another participant`);
}
