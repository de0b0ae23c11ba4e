import { type Bytes, toBase64Url, toHex, utf8 } from "../bytes/index.ts";
import {
  type Certificate,
  type CertificateKey,
  encodePem,
  type FileSigner,
  GENERATED_SECRET_ITERATIONS,
  issueParticipant,
  type Role,
  sealPrivateKey,
  signDetached,
} from "../pki/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import type { ParticipantKeyKind } from "./definition.ts";
import { encodeKitConfiguration, type KitConfiguration } from "./kit-configuration.ts";
import { KIT_FILE, type KitFiles } from "./kit-files.ts";
import { encodeKitManifest } from "./kit-manifest.ts";
import { isMutualTls, type KitRequest, type ServerMaterial } from "./kit-request.ts";
import { encodeMachines } from "./machines.ts";
import { startFiles } from "./start-files.ts";
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
  /** Random identifier of the kit, 32 hexadecimal digits. */
  readonly kitId: string;
  /** The participant's certificate. */
  readonly certificate: Certificate;
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
  const signingKey = await generateKey(request.keyKind ?? "P-256", crypto);
  const certificate = await issueLeaf(request, signingKey.publicKey, { root, ...modules });
  const files = new Map<string, Bytes>([
    ...commonFiles(request, root, certificate),
    [KIT_FILE.key, await sealedKey(await crypto.exportSigningKey(signingKey), secret, crypto)],
    ...(await serverFiles(request, secret, crypto)),
  ]);
  return { ...(await signKit({ request, files, certificate }, root, modules)), secret };
}

/** A startup kit of a participant that has its keys already: nothing in it is secret. */
export type KeylessKit = Omit<StartupKit, "secret">;

/** What a kit without keys is made with. */
export interface KeylessMaterial {
  /** The root with its key. */
  readonly root: FileSigner;
  /** Key of the participant, which was proved. */
  readonly publicKey: CertificateKey;
  /** Servers: the certificate of the enrolment CA, whose key the server has, and what every server's kit holds. */
  readonly ofServer?: Pick<ServerMaterial, "machines" | "revocationList"> & {
    readonly enrolment: Certificate;
  };
}

/** Makes certificate and kit of a participant that made its keys itself. */
export async function createKeylessKit(
  request: Omit<KitRequest, "ofServer" | "keyKind">,
  { root, publicKey, ofServer }: KeylessMaterial,
  modules: { readonly crypto: CryptoProvider },
): Promise<KeylessKit> {
  const certificate = await issueLeaf(request, publicKey.spki, { root, ...modules });
  const files = new Map<string, Bytes>([
    ...commonFiles(request, root, certificate),
    ...(ofServer === undefined ? [] : publicServerFiles({ ...ofServer, certificate: ofServer.enrolment })),
  ]);
  return await signKit({ request, files, certificate }, root, modules);
}

function commonFiles(
  request: KitRequest,
  root: FileSigner,
  certificate: Certificate,
): readonly (readonly [string, Bytes])[] {
  return [
    [KIT_FILE.root, encodePem("CERTIFICATE", root.certificate.der)],
    [KIT_FILE.certificate, encodePem("CERTIFICATE", certificate.der)],
    [KIT_FILE.configuration, encodeKitConfiguration(configurationOf(request))],
    ...tlsFiles(request),
    ...startFiles(request.subject, request.port),
  ];
}

interface Unsigned {
  readonly request: KitRequest;
  readonly files: Map<string, Bytes>;
  readonly certificate: Certificate;
}

async function signKit(
  { request, files, certificate }: Unsigned,
  root: FileSigner,
  modules: { readonly crypto: CryptoProvider },
): Promise<KeylessKit> {
  const { crypto } = modules;
  const { project, role, name } = request.subject;
  const { notBeforeMs, notAfterMs } = certificate;
  const kitId = toHex(crypto.randomBytes(16));
  const facts = { project, participant: name, role, kitId, notBeforeMs, notAfterMs };
  const manifest = await encodeKitManifest(facts, files, crypto);
  const signature = await signDetached(manifest, { ...root, nowMs: request.nowMs }, modules);
  files.set(KIT_FILE.manifest, manifest).set(KIT_FILE.signature, encodePem("CMS", signature));
  return { name, role, files, kitId, certificate };
}

async function generateKey(kind: ParticipantKeyKind, crypto: CryptoProvider): Promise<SigningKey> {
  switch (kind) {
    case "P-256":
      return await crypto.generateSigningKey(1, { extractable: true });
    case "RSA-2048":
      return await crypto.generateSigningKey(2, { extractable: true, modulusLength: 2048 });
    case "RSA-3072":
      return await crypto.generateSigningKey(2, { extractable: true, modulusLength: 3072 });
  }
}

function issueLeaf(
  kit: KitRequest,
  publicKey: Bytes,
  { root, crypto }: { readonly root: FileSigner; readonly crypto: CryptoProvider },
): Promise<Certificate> {
  const { subject, org, hosts, nowMs, lifetimeMs } = kit;
  const request = {
    ...{ subject, org, publicKey, nowMs },
    // Stated by the project in the certificate itself: the server needs no list of who connects how.
    mutualTls: isMutualTls(kit),
    ...(hosts === undefined ? {} : { hosts }),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  };
  return issueParticipant(request, root, { crypto });
}

function configurationOf({ subject, org, connection }: KitRequest): KitConfiguration {
  return { version: 1, ...subject, org, ...connection };
}

async function sealedKey(pkcs8: Bytes, secret: string, crypto: CryptoProvider): Promise<Bytes> {
  const options = { passphrase: secret, iterations: GENERATED_SECRET_ITERATIONS };
  const sealed = await sealPrivateKey(pkcs8, options, { crypto });
  return encodePem("ENCRYPTED PRIVATE KEY", sealed);
}

function tlsFiles({ tlsAuthorities }: KitRequest): readonly (readonly [string, Bytes])[] {
  return tlsAuthorities === undefined ? [] : [[KIT_FILE.tlsAuthorities, utf8(tlsAuthorities)]];
}

async function serverFiles(
  { ofServer }: KitRequest,
  secret: string,
  crypto: CryptoProvider,
): Promise<readonly (readonly [string, Bytes])[]> {
  if (ofServer === undefined) return [];
  const { enrolment, machines, revocationList, storageKey = crypto.randomBytes(32) } = ofServer;
  return [
    [KIT_FILE.storageKey, await sealStorageKey(storageKey, secret, crypto)],
    ...publicServerFiles({ machines, revocationList, certificate: enrolment.certificate }),
    [KIT_FILE.enrolmentKey, await sealedKey(enrolment.pkcs8, secret, crypto)],
  ];
}

function publicServerFiles({
  machines,
  revocationList,
  certificate,
}: Pick<ServerMaterial, "machines" | "revocationList"> & {
  readonly certificate: Certificate;
}): readonly (readonly [string, Bytes])[] {
  return [
    [KIT_FILE.machines, encodeMachines(machines)],
    [KIT_FILE.revocationList, encodePem("X509 CRL", revocationList)],
    [KIT_FILE.enrolmentCertificate, encodePem("CERTIFICATE", certificate.der)],
  ];
}
