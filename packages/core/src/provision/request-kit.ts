import { type Bytes, concatBytes, utf8 } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import {
  type CertificateKey,
  createCertificateRequest,
  decodePem,
  encodePem,
  GENERATED_SECRET_ITERATIONS,
  openCertificateRequest,
  openPrivateKey,
  type Role,
  sealPrivateKey,
} from "../pki/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import { generateSecret } from "./create-kit.ts";
import { KIT_FILE, type KitFiles, LOCAL_REQUEST, LOCAL_SECRET, localFiles } from "./kit-files.ts";
import { sealStorageKey } from "./storage-key.ts";

/** What a participant asks for; the project's definition decides. */
export interface RequestedParticipant {
  /** Name that is asked for. */
  readonly name: string;
  /** Organization. */
  readonly org: string;
  /** Role. */
  readonly role: Role;
}

/** Keys and request of a participant that makes them itself. */
export interface KitRequestFiles {
  /** Encrypted keys, and in `local/` the request and the secret that opens the keys. */
  readonly files: KitFiles;
  /** Key of the participant. */
  readonly signingKey: SigningKey;
  /** PKCS#10 request for that key, DER. */
  readonly request: Bytes;
}

/**
 * Makes what a participant with keys of its own begins with: they never leave its machine. A server makes the key of its
 * enrolment CA and the one that wraps everything at rest too.
 */
export async function requestKit(
  { name, org, role }: RequestedParticipant,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<KitRequestFiles> {
  const secret = generateSecret(crypto);
  const names = { commonName: name, organization: org, organizationalUnit: role };
  const make = async () => {
    const signingKey = await crypto.generateSigningKey(1, { extractable: true });
    const request = await createCertificateRequest(names, signingKey, { crypto });
    const sealing = { passphrase: secret, iterations: GENERATED_SECRET_ITERATIONS };
    const sealed = await sealPrivateKey(await crypto.exportSigningKey(signingKey), sealing, { crypto });
    return { signingKey, request, keyPem: encodePem("ENCRYPTED PRIVATE KEY", sealed) };
  };
  const own = await make();
  const enrolment = role === "server" ? await make() : undefined;
  const files = new Map<string, Bytes>([[KIT_FILE.key, own.keyPem]]);
  const requests = [own.request];
  if (enrolment !== undefined) {
    files.set(KIT_FILE.enrolmentKey, enrolment.keyPem);
    files.set(KIT_FILE.storageKey, await sealStorageKey(crypto.randomBytes(32), secret, crypto));
    requests.push(enrolment.request);
  }
  files.set(LOCAL_SECRET, utf8(`${secret}\n`));
  files.set(LOCAL_REQUEST, encodePem("CERTIFICATE REQUEST", ...requests));
  for (const [path, content] of localFiles(role)) files.set(path, content);
  return { files, signingKey: own.signingKey, request: own.request };
}

/**
 * Opens key and request that {@link requestKit} made.
 * @param files `keyPem` and `requestPem` as they lie in the folder, and the secret of the key
 * @throws PkiError `ERR_REQUEST_MALFORMED`, `ERR_KEY_UNREADABLE` for a wrong secret
 */
export async function openRequestedKey(
  files: { readonly keyPem: Bytes; readonly requestPem: Bytes; readonly secret: string },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Omit<KitRequestFiles, "files">> {
  const [request] = decodePem("CERTIFICATE REQUEST", files.requestPem);
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", files.keyPem);
  if (request === undefined) throw new PkiError("ERR_REQUEST_MALFORMED", "the file holds no request");
  if (sealed === undefined) throw new PkiError("ERR_KEY_UNREADABLE", "the file holds no key");
  const { publicKey, algorithm } = await openCertificateRequest(request, { crypto });
  const pkcs8 = await openPrivateKey(sealed, files.secret, { crypto });
  return { request, signingKey: await crypto.importSigningKey(pkcs8, publicKey.spki, algorithm) };
}

/** A request as who signs it sees it: each key is proved, names are what the requester wishes. */
export interface OpenedKitRequest {
  /** Name that is asked for. */
  readonly name: string;
  /** Organization that is asked for. */
  readonly org: string;
  /** Role that is asked for. */
  readonly role: string;
  /** Key of the participant. */
  readonly publicKey: CertificateKey;
  /** Servers: key of the CA by which pages enrol, P-256. */
  readonly enrolmentKey: CertificateKey | undefined;
  /** SHA-256 of the key, of a server of both keys one after the other: what people compare. */
  readonly fingerprint: Bytes;
}

/** No file of requests is larger: two of at most 8 KiB each. */
const MAX_REQUEST_FILE_BYTES = 32_768;

/**
 * Reads a file of requests that {@link requestKit} made, and verifies that each is signed by its key.
 * @throws PkiError `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_UNSUPPORTED` for a weak key, `ERR_CERTIFICATE_SIGNATURE` for
 *   another's key
 */
export async function openKitRequest(
  pem: Bytes,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<OpenedKitRequest> {
  const [own, enrolment, ...more] = requestsOf(pem);
  if (own === undefined || more.length > 0) throw malformed("one request expected, or two of a server");
  const { publicKey, subject } = await openCertificateRequest(own, { crypto });
  const enrolmentKey =
    enrolment === undefined ? undefined : (await openCertificateRequest(enrolment, { crypto })).publicKey;
  const { commonName = "", organization = "", organizationalUnit = "" } = subject;
  if ((organizationalUnit === "server") !== (enrolmentKey !== undefined)) {
    throw malformed("a server asks for two keys, everybody else for one");
  }
  if (enrolmentKey !== undefined && enrolmentKey.kind !== "P-256") {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", "the key of an enrolment CA is one of P-256");
  }
  const fingerprint = await crypto.sha256(
    concatBytes(publicKey.spki, enrolmentKey?.spki ?? new Uint8Array(0)),
  );
  return {
    name: commonName,
    org: organization,
    role: organizationalUnit,
    publicKey,
    enrolmentKey,
    fingerprint,
  };
}

function requestsOf(pem: Bytes): readonly Bytes[] {
  if (pem.length > MAX_REQUEST_FILE_BYTES) throw malformed(`file of ${pem.length} bytes`);
  try {
    return decodePem("CERTIFICATE REQUEST", pem);
  } catch (cause) {
    throw new PkiError("ERR_REQUEST_MALFORMED", "the file holds no request in PEM", { cause });
  }
}

function malformed(detail: string): PkiError {
  return new PkiError("ERR_REQUEST_MALFORMED", detail);
}
