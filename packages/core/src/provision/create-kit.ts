import { type Bytes, toBase64Url, toHex, utf8 } from "../bytes/index.ts";
import {
  type Certificate,
  encodePem,
  type FileSigner,
  GENERATED_SECRET_ITERATIONS,
  issueParticipant,
  type Name,
  type Role,
  type Subject,
  sealPrivateKey,
  signDetached,
} from "../pki/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import { encodeKitConfiguration, type KitConfiguration } from "./kit-configuration.ts";
import { KIT_FILE, type KitFiles } from "./kit-files.ts";
import { encodeKitManifest } from "./kit-manifest.ts";
import { encodeMachineNames } from "./machine-names.ts";
import { sealStorageKey } from "./storage-key.ts";

/** A startup kit and, apart from it, what opens it. */
export interface StartupKit {
  /** Name of the participant. */
  readonly name: string;
  /** Role of the participant. */
  readonly role: Role;
  /** The files; nothing in them is secret without {@link secret}. */
  readonly files: KitFiles;
  /** 128 random bits in base64url that open the kit's keys. Handed over by another way than the kit. */
  readonly secret: string;
}

/** Whose kit to make. */
export interface KitRequest {
  /** Who it is for. */
  readonly subject: Subject;
  /** Organization of the participant. */
  readonly org: Name;
  /** Where the server is, and how this participant connects. */
  readonly connection: Pick<KitConfiguration, "server" | "security">;
  /** Servers: host names and addresses for the certificate. */
  readonly hosts?: readonly string[];
  /** Servers: names of all machines that have kits. */
  readonly machineNames?: readonly string[];
  /** Servers: CA by which pages enrol. */
  readonly enrolment?: { readonly certificate: Certificate; readonly key: SigningKey };
  /** Servers: newest revocation list of the root, DER. */
  readonly revocationList?: Bytes;
  /** Time of issue, ms since 1970. */
  readonly nowMs: number;
  /** ms that certificate and kit are valid; default 360 days. */
  readonly lifetimeMs?: number;
}

/** 128 random bits as text: what opens a generated kit. */
export function generateSecret(crypto: CryptoProvider): string {
  return toBase64Url(crypto.randomBytes(16));
}

/** Makes key, certificate and kit of one participant. */
export async function createKit(
  request: KitRequest,
  root: FileSigner,
  modules: { readonly crypto: CryptoProvider },
): Promise<StartupKit> {
  const { crypto } = modules;
  const secret = generateSecret(crypto);
  const signingKey = await crypto.generateSigningKey(1, { extractable: true });
  const leaf = await issueLeaf(request, signingKey, root, modules);
  const files = new Map<string, Bytes>([
    [KIT_FILE.root, encodePem("CERTIFICATE", root.certificate.der)],
    [KIT_FILE.certificate, encodePem("CERTIFICATE", leaf.der)],
    [KIT_FILE.key, await sealedKey(signingKey, secret, crypto)],
    [KIT_FILE.configuration, encodeKitConfiguration(configurationOf(request))],
    ...startScript(request.subject.role),
    ...(await serverFiles(request, secret, crypto)),
  ]);
  const { project, role, name } = request.subject;
  const { notBeforeMs, notAfterMs } = leaf;
  const kitId = toHex(crypto.randomBytes(16));
  const facts = { project, participant: name, role, kitId, notBeforeMs, notAfterMs };
  const manifest = await encodeKitManifest(facts, files, crypto);
  const signature = await signDetached(manifest, { ...root, nowMs: request.nowMs }, modules);
  files.set(KIT_FILE.manifest, manifest).set(KIT_FILE.signature, encodePem("CMS", signature));
  return { name, role, files, secret };
}

function issueLeaf(
  { subject, org, hosts, nowMs, lifetimeMs, connection }: KitRequest,
  { publicKey }: SigningKey,
  root: FileSigner,
  modules: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  const request = {
    ...{ subject, org, publicKey, nowMs },
    // Stated by the project in the certificate itself: the server needs no list of who connects how.
    mutualTls: subject.role !== "server" && connection.security === "mtls",
    ...(hosts === undefined ? {} : { hosts }),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  };
  return issueParticipant(request, root, modules);
}

function configurationOf({ subject, org, connection }: KitRequest): KitConfiguration {
  return { version: 1, ...subject, org, ...connection };
}

async function sealedKey(key: SigningKey, secret: string, crypto: CryptoProvider): Promise<Bytes> {
  const options = { passphrase: secret, iterations: GENERATED_SECRET_ITERATIONS };
  const sealed = await sealPrivateKey(await crypto.exportSigningKey(key), options, { crypto });
  return encodePem("ENCRYPTED PRIVATE KEY", sealed);
}

async function serverFiles(
  { enrolment, subject, machineNames = [subject.name], revocationList }: KitRequest,
  secret: string,
  crypto: CryptoProvider,
): Promise<readonly (readonly [string, Bytes])[]> {
  if (subject.role !== "server") return [];
  const storageKey = await sealStorageKey(crypto.randomBytes(32), secret, crypto);
  const files: readonly (readonly [string, Bytes])[] = [
    [KIT_FILE.storageKey, storageKey],
    [KIT_FILE.machineNames, encodeMachineNames(machineNames)],
    ...(revocationList === undefined
      ? []
      : [[KIT_FILE.revocationList, encodePem("X509 CRL", revocationList)] as const]),
  ];
  if (enrolment === undefined) return files;
  return [
    ...files,
    [KIT_FILE.enrolmentCertificate, encodePem("CERTIFICATE", enrolment.certificate.der)],
    [KIT_FILE.enrolmentKey, await sealedKey(enrolment.key, secret, crypto)],
  ];
}

/** People use the command line with `--kit`; servers and sites are started. */
function startScript(role: Role): readonly (readonly [string, Bytes])[] {
  if (role !== "server" && role !== "site") return [];
  const script = `#!/bin/sh
# Starts this ${role}. The kit's secret is read from the file descriptor that --passphrase-fd names:
#   ./start.sh --passphrase-fd 3 3< /run/credentials/kit-secret
set -eu
exec "\${PHOTINUS:-photinus}" ${role} start --kit "$(dirname "$0")" "$@"
`;
  return [[KIT_FILE.start, utf8(script)]];
}
