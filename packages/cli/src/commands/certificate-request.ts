import { mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Bytes } from "@photinus/core/bytes";
import { fromUtf8, toHex } from "@photinus/core/bytes";
import { HostError, PkiError } from "@photinus/core/errors";
import {
  createCertificateRequest,
  decodePem,
  encodePem,
  GENERATED_SECRET_ITERATIONS,
  isMachineName,
  isName,
  openCertificateRequest,
  openPrivateKey,
  parseCertificate,
  sealPrivateKey,
} from "@photinus/core/pki";
import type { SigningKey } from "@photinus/core/platform";
import { sleep } from "@photinus/core/platform";
import {
  enrolledKitFiles,
  formatFingerprint,
  generateSecret,
  type JoinLink,
  KIT_FILE,
  openEnrolledKit,
  parseJoinFragment,
} from "@photinus/core/provision";
import { type Enrolled, enrolOverSession, renewByKey } from "@photinus/core/session";
import { serverConnector } from "@photinus/node-client";
import {
  nodeCrypto,
  parseProxy,
  readKitFolder,
  readSecretFile,
  readSmallFile,
  replaceFile,
  systemClock,
  tlsIdentity,
  webSocketConnector,
} from "@photinus/node-platform";
import { chooseProxy } from "../choose-proxy.ts";
import type { CommandContext } from "../context.ts";
import { digestFrom } from "./administer.ts";
import { type KitOptions, secretOf } from "./open-kit-folder.ts";

/** Options of `photinus cert request`. */
export interface CertificateRequestOptions {
  /** Folder for key, request and certificate; made when missing, asked with again when it is there. */
  readonly out: string;
  /** Name that is asked for. */
  readonly name: string;
  /** Organization. */
  readonly org: string;
  /** Address of the server's socket. */
  readonly server?: string;
  /** File with a join link: the invite admits at once. */
  readonly linkFile?: string;
  /** Name of the project. */
  readonly project?: string;
  /** Name in the server's certificate. */
  readonly serverName?: string;
  /** SHA-256 of the project's root certificate, as an administrator says it. */
  readonly rootFingerprint?: string;
  /** PEM file with the authority of the server's TLS, such as the project's root; by default the public ones. */
  readonly ca?: string;
  /** HTTP proxy, or "none". */
  readonly proxy?: string;
  /** Ask again until it was decided. */
  readonly wait?: boolean;
}

const MAX_FILE_BYTES = 65_536;
const REQUEST_FILE = "request.pem";
/** Opens the key; like the secret of a kit it may be moved elsewhere once the certificate is there. */
const SECRET_FILE = "secret";
/** Somebody who waits asks this often. */
const ASK_MS = 5_000;

/**
 * Makes a key and a request for a certificate, and asks the server for it: by a join link at once, else an administrator
 * compares the fingerprint. Called again it asks again with the same key.
 *
 * @throws PkiError `ERR_REQUEST_PENDING`, `ERR_REQUEST_DENIED`, `ERR_CERTIFICATE_UNTRUSTED` when the server has another root
 */
export async function requestCertificate(
  options: CertificateRequestOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  if (!isMachineName(options.name) || !isName(options.org)) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "names have a-z, 0-9, dot, dash and underscore, at most 63 characters",
    );
  }
  const { signingKey, request } = await keyAndRequest(options);
  const digest = await nodeCrypto().sha256(signingKey.publicKey);
  terminal.line(`Fingerprint: ${formatFingerprint(digest)}`);
  if (options.server === undefined) {
    terminal.note(`${join(options.out, REQUEST_FILE)} is ready; --server asks for the certificate.`);
    terminal.result({ fingerprint: toHex(digest), request: join(options.out, REQUEST_FILE), state: "made" });
    return;
  }
  const target = await targetOf(options, options.server);
  const enrolled = await ask(target, { signingKey, request, signal, wait: options.wait === true, terminal });
  const name = await keep(enrolled, target, options);
  terminal.line(`Certificate of ${name} is in ${options.out}: photinus site start --kit ${options.out}`);
  terminal.result({ fingerprint: toHex(digest), name, kit: options.out, state: "issued" });
}

interface KeyAndRequest {
  readonly signingKey: SigningKey;
  readonly request: Bytes;
}

async function keyAndRequest({ out, name, org }: CertificateRequestOptions): Promise<KeyAndRequest> {
  const isThere = await stat(out).then(
    () => true,
    () => false,
  );
  if (isThere) return await readKeyAndRequest(out);
  const crypto = nodeCrypto();
  const signingKey = await crypto.generateSigningKey(1, { extractable: true });
  const names = { commonName: name, organization: org, organizationalUnit: "site" };
  const request = await createCertificateRequest(names, signingKey, { crypto });
  const secret = generateSecret(crypto);
  const sealing = { passphrase: secret, iterations: GENERATED_SECRET_ITERATIONS };
  const sealed = await sealPrivateKey(await crypto.exportSigningKey(signingKey), sealing, { crypto });
  await mkdir(out, { mode: 0o700 });
  await writePrivate(join(out, KIT_FILE.key), encodePem("ENCRYPTED PRIVATE KEY", sealed));
  await mkdir(join(out, "local"), { mode: 0o700 });
  await writePrivate(join(out, "local", SECRET_FILE), `${secret}\n`);
  await writePrivate(join(out, REQUEST_FILE), encodePem("CERTIFICATE REQUEST", request));
  return { signingKey, request };
}

async function writePrivate(path: string, content: Bytes | string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

async function readKeyAndRequest(folder: string): Promise<KeyAndRequest> {
  const crypto = nodeCrypto();
  const [request] = decodePem(
    "CERTIFICATE REQUEST",
    await readSmallFile(join(folder, REQUEST_FILE), MAX_FILE_BYTES),
  );
  const [sealed] = decodePem(
    "ENCRYPTED PRIVATE KEY",
    await readSmallFile(join(folder, KIT_FILE.key), MAX_FILE_BYTES),
  );
  if (request === undefined || sealed === undefined) {
    throw new HostError("ERR_CONFIG_INVALID", `${folder} is there, and holds no request of this command`);
  }
  const { publicKey, algorithm } = await openCertificateRequest(request, { crypto });
  const secret = await readSecretFile(join(folder, "local", SECRET_FILE));
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  return { request, signingKey: await crypto.importSigningKey(pkcs8, publicKey.spki, algorithm) };
}

interface Target {
  readonly server: string;
  readonly link: Omit<JoinLink, "code"> & { readonly code: Bytes | undefined };
  readonly connect: (signal: AbortSignal) => ReturnType<ReturnType<typeof webSocketConnector>["connect"]>;
}

async function targetOf(options: CertificateRequestOptions, server: string): Promise<Target> {
  const { project, serverName, rootFingerprint, linkFile, ca, proxy } = options;
  const through = chooseProxy(proxy)(server);
  const authority = ca === undefined ? [] : [fromUtf8(await readSmallFile(ca, MAX_FILE_BYTES))];
  const connector = webSocketConnector({
    url: server,
    ca: [...authority, ...rootCertificates],
    ...(through === undefined ? {} : { proxy: parseProxy(through) }),
  });
  const connect = (signal: AbortSignal) => connector.connect(signal);
  if (linkFile !== undefined) {
    const text = fromUtf8(await readSmallFile(linkFile, MAX_FILE_BYTES)).trim();
    return { server, connect, link: parseJoinFragment(text.slice(text.indexOf("#") + 1)) };
  }
  if (project === undefined || serverName === undefined || rootFingerprint === undefined) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "name --project, --server-name and --root-fingerprint as an administrator says them, or a --link-file",
    );
  }
  const link = { project, serverName, rootFingerprint: digestFrom(rootFingerprint), code: undefined };
  return { server, connect, link };
}

interface Asking extends KeyAndRequest {
  readonly signal: AbortSignal;
  readonly wait: boolean;
  readonly terminal: CommandContext["terminal"];
}

async function ask(
  target: Target,
  { signingKey, request, signal, wait, terminal }: Asking,
): Promise<Enrolled> {
  const { code, ...link } = target.link;
  const options = { ...link, signingKey, request, ...(code === undefined ? {} : { inviteCode: code }) };
  const modules = { clock: systemClock(), crypto: nodeCrypto() };
  for (let asked = 0; ; asked++) {
    try {
      return await enrolOverSession(await target.connect(signal), options, modules);
    } catch (error) {
      const isPending = error instanceof PkiError && error.code === "ERR_REQUEST_PENDING";
      if (!wait || !isPending) throw error;
      if (asked === 0) terminal.note("An administrator has to approve. Read the fingerprint out; waiting.");
      await sleep(modules.clock, ASK_MS, signal);
    }
  }
}

async function keep(
  enrolled: Enrolled,
  { server, link }: Target,
  { out, ca }: CertificateRequestOptions,
): Promise<string> {
  const { subject } = await parseCertificate(enrolled.chain[0] ?? new Uint8Array(0), {
    crypto: nodeCrypto(),
  });
  const name = subject.commonName ?? "";
  const files = enrolledKitFiles(enrolled, {
    ...{ version: 1, project: link.project, name, role: "site", org: subject.organization ?? "" },
    server: { name: link.serverName, addresses: [server] },
    security: server.startsWith("wss:") ? "tls" : "clear",
  });
  for (const [path, content] of files) await replaceFile(join(out, path), content);
  if (ca !== undefined)
    await replaceFile(join(out, KIT_FILE.tlsAuthorities), await readSmallFile(ca, MAX_FILE_BYTES));
  return name;
}

/** Options of `photinus cert renew`. */
export interface RenewOptions extends KitOptions {
  /** HTTP proxy, or "none". */
  readonly proxy?: string;
}

/**
 * Renews the certificate of a site that enrolled, by its key: also when it has expired for up to 30 days.
 * @throws PkiError `ERR_REVOKED`; WireError when it is too late, or the server does not answer
 */
export async function renewCertificate(
  options: RenewOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const crypto = nodeCrypto();
  const [files, secret] = await Promise.all([readKitFolder(options.kit), secretOf(options)]);
  const notAfterMs = await expiryOf(files.get(KIT_FILE.certificate) ?? new Uint8Array(0));
  // Opened as of its last day: it may have expired, its key still counts.
  const nowMs = Math.min(Date.now(), notAfterMs);
  const kit = await openEnrolledKit(files, { nowMs, secret }, { crypto });
  const { project, server, name } = kit.configuration;
  const [sealed = new Uint8Array(0)] = decodePem(
    "ENCRYPTED PRIVATE KEY",
    files.get(KIT_FILE.key) ?? new Uint8Array(0),
  );
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  const connector = serverConnector({
    ...{ kit, tls: tlsIdentity(kit.identity.participant.chain, pkcs8) },
    proxyOf: chooseProxy(options.proxy),
  });
  const { chain } = await renewByKey(
    await connector.connect(signal),
    { project, serverName: server.name, root: kit.root.der, signingKey: kit.identity.signingKey, name },
    { clock: systemClock(), crypto },
  );
  await replaceFile(join(options.kit, KIT_FILE.certificate), encodePem("CERTIFICATE", ...chain));
  const until = new Date((await parseCertificate(chain[0] ?? new Uint8Array(0), { crypto })).notAfterMs);
  terminal.line(`The certificate of ${name} is valid until ${until.toISOString()}.`);
  terminal.result({ name, notAfter: until.toISOString() });
}

async function expiryOf(certificatePem: Bytes): Promise<number> {
  const [leaf] = decodePem("CERTIFICATE", certificatePem);
  return (await parseCertificate(leaf ?? new Uint8Array(0), { crypto: nodeCrypto() })).notAfterMs;
}
