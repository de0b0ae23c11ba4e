import { join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Bytes } from "@photinus/core/bytes";
import { fromUtf8, toHex } from "@photinus/core/bytes";
import { HostError, PkiError } from "@photinus/core/errors";
import {
  decodePem,
  encodePem,
  isName,
  openPrivateKey,
  parseCertificate,
  type Role,
  subjectOf,
} from "@photinus/core/pki";
import { sleep } from "@photinus/core/platform";
import {
  enrolledKitFiles,
  formatFingerprint,
  type JoinLink,
  KIT_FILE,
  type KitRequestFiles,
  LOCAL_REQUEST,
  LOCAL_SECRET,
  type OpenedKitRequest,
  openEnrolledKit,
  openKitRequest,
  openRequestedKey,
  parseJoinFragment,
  requestKit,
} from "@photinus/core/provision";
import { type Enrolled, enrolOverSession, renewByKey } from "@photinus/core/session";
import { serverConnector } from "@photinus/node-client";
import {
  nodeCrypto,
  parseProxy,
  readSecretFile,
  readSmallFile,
  replaceFile,
  systemClock,
  tlsIdentity,
  webSocketConnector,
} from "@photinus/node-platform";
import { chooseProxy } from "../choose-proxy.ts";
import type { CommandContext } from "../context.ts";
import { createFolder, exists, writePrivate } from "../project/folder-change.ts";
import { changeOwnKit, readOwnKit } from "../project/own-kit.ts";
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
  /** Role; default "site", the only one that a running server issues. */
  readonly role?: Role;
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
  requireWish(options);
  const { signingKey, request } = await keyAndRequest(options);
  const requestFile = join(options.out, LOCAL_REQUEST);
  const opened = await openKitRequest(await readSmallFile(requestFile, MAX_FILE_BYTES), {
    crypto: nodeCrypto(),
  });
  requireSameWish(options, opened);
  const digest = opened.fingerprint;
  terminal.line(`Fingerprint: ${formatFingerprint(digest)}`);
  if (options.server === undefined) {
    terminal.note(`Hand ${requestFile} to whoever holds the root's key, who wants the fingerprint read out.`);
    terminal.result({ fingerprint: toHex(digest), request: requestFile, state: "made" });
    return;
  }
  const target = await targetOf(options, options.server);
  const enrolled = await ask(target, { signingKey, request, signal, wait: options.wait === true, terminal });
  const name = await keep(enrolled, target, options);
  terminal.line(`Certificate of ${name} is in ${options.out}: photinus site start --kit ${options.out}`);
  terminal.result({ fingerprint: toHex(digest), name, kit: options.out, state: "issued" });
}

/** @throws HostError `ERR_CONFIG_INVALID` */
function requireWish({ name, org, role = "site", server }: CertificateRequestOptions): void {
  // The name of the project is not known here, and has no part in the form of the others.
  if (subjectOf("project", role, name) === undefined || !isName(org)) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "names have a-z, 0-9, dot, dash and underscore, at most 63 characters; a user's is a lower-case e-mail address",
    );
  }
  if (server !== undefined && role !== "site") {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "a running server issues certificates of sites only: leave --server out, and hand the request to whoever holds the root's key",
    );
  }
}

/** A folder that is there holds a request, which may be for somebody else. @throws HostError `ERR_CONFIG_INVALID` */
function requireSameWish(
  { out, name, org, role = "site" }: CertificateRequestOptions,
  made: OpenedKitRequest,
): void {
  if (made.name === name && made.org === org && made.role === role) return;
  const text = `${out} holds the request of ${made.role} ${made.name} of ${made.org}: take another folder`;
  throw new HostError("ERR_CONFIG_INVALID", text);
}

type KeyAndRequest = Omit<KitRequestFiles, "files">;

async function keyAndRequest(options: CertificateRequestOptions): Promise<KeyAndRequest> {
  const { out, name, org, role = "site" } = options;
  if (await exists(out)) return await readKeyAndRequest(out);
  const made = await requestKit({ name, org, role }, { crypto: nodeCrypto() });
  await createFolder(out, async (staging) => {
    for (const [path, content] of made.files) await writePrivate(join(staging, path), content);
  });
  return made;
}

async function readKeyAndRequest(folder: string): Promise<KeyAndRequest> {
  const [requestPem, keyPem] = await Promise.all(
    [LOCAL_REQUEST, KIT_FILE.key].map((path) => readSmallFile(join(folder, path), MAX_FILE_BYTES)),
  );
  if (requestPem === undefined || keyPem === undefined) {
    throw new HostError("ERR_CONFIG_INVALID", `${folder} is there, and holds no request of this command`);
  }
  const secret = await readSecretFile(join(folder, LOCAL_SECRET));
  return await openRequestedKey({ requestPem, keyPem, secret }, { crypto: nodeCrypto() });
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
  const tls =
    ca === undefined ? [] : [[KIT_FILE.tlsAuthorities, await readSmallFile(ca, MAX_FILE_BYTES)] as const];
  await changeOwnKit(out, { put: new Map([...files, ...tls]), before: await readOwnKit(out) });
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
  const [files, secret] = await Promise.all([readOwnKit(options.kit), secretOf(options)]);
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
