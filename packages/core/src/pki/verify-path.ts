import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, VerifyingKey } from "../platform/index.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { ChainCache } from "./chain-cache.ts";
import { fromCertificateForm, isCanonicalSignature } from "./ecdsa-form.ts";
import { algorithmOf } from "./public-key.ts";
import { schemeOf } from "./signature-algorithm.ts";

/** A chain whose signatures lead to the pinned root. */
export interface VerifiedPath {
  /** The holder's certificate. */
  readonly leaf: Certificate;
  /** The CAs between leaf and root, the leaf's issuer first. */
  readonly authorities: readonly Certificate[];
  /** The pinned root. */
  readonly root: Certificate;
  /** The leaf's key, ready to verify with. */
  readonly verifyingKey: VerifyingKey;
  /** From when on all certificates are valid, ms since 1970. */
  readonly notBeforeMs: number;
  /** Until when all certificates are valid, ms since 1970. */
  readonly notAfterMs: number;
}

/** Certificates of a chain without its root: with it they are four (protocol, section 1). */
const MAX_CHAIN_LENGTH = 3;

/**
 * Path validation of RFC 5280, section 6, reduced to what certificates of Photinus are: signatures, names, validity,
 * basicConstraints, path length, keyUsage. What else could restrict a path is refused when a certificate is parsed.
 *
 * @param chain DER, leaf first, without the root
 * @throws PkiError
 */
export async function verifyPath(
  chain: readonly Bytes[],
  { root: rootDer, nowMs }: { readonly root: Bytes; readonly nowMs: number },
  modules: { readonly crypto: CryptoProvider; readonly cache?: ChainCache },
): Promise<VerifiedPath> {
  if (chain.length === 0 || chain.length > MAX_CHAIN_LENGTH) {
    throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", `chain of ${chain.length} certificates without the root`);
  }
  const parse = async (der: Bytes): Promise<Certificate> =>
    modules.cache?.authority(der) ?? parseCertificate(der, modules);
  const root = await parse(rootDer);
  const certificates: Certificate[] = [];
  for (const der of chain) certificates.push(await parse(der));
  const [leaf, ...authorities] = certificates;
  if (leaf === undefined) throw new RangeError("unreachable: the chain is not empty");
  for (const certificate of [...certificates, root]) requireValidAt(certificate, nowMs);
  for (const [index, certificate] of certificates.entries()) {
    const issuer = certificates[index + 1] ?? root;
    requireAuthority(issuer, index);
    await requireIssuedBy(certificate, issuer, modules.crypto);
  }
  return {
    leaf,
    authorities,
    root,
    verifyingKey: await modules.crypto.importVerifyingKey(leaf.publicKey.spki, algorithmOf(leaf.publicKey)),
    notBeforeMs: Math.max(...[...certificates, root].map((certificate) => certificate.notBeforeMs)),
    notAfterMs: Math.min(...[...certificates, root].map((certificate) => certificate.notAfterMs)),
  };
}

/** RFC 5280, section 6.1.3 (a)(2). */
function requireValidAt({ notBeforeMs, notAfterMs, subject }: Certificate, nowMs: number): void {
  const whose = `the certificate of ${subject.commonName ?? "an unnamed holder"}`;
  if (nowMs < notBeforeMs) {
    const from = new Date(notBeforeMs).toISOString();
    throw new PkiError("ERR_CERTIFICATE_NOT_YET_VALID", `${whose} is valid from ${from} on`);
  }
  if (nowMs > notAfterMs) {
    throw new PkiError(
      "ERR_CERTIFICATE_EXPIRED",
      `${whose} expired at ${new Date(notAfterMs).toISOString()}`,
    );
  }
}

/** RFC 5280, section 6.1.4 (k) to (n): a CA, with a path length for `below` CAs under it, that may sign certificates. */
function requireAuthority({ extensions, subject }: Certificate, below: number): void {
  const { authority, keyUsage } = extensions;
  const isAuthority = authority !== undefined && (authority.pathLength ?? below) >= below;
  if (isAuthority && keyUsage?.has("keyCertSign")) return;
  const whose = subject.commonName ?? "an unnamed holder";
  throw new PkiError(
    "ERR_CERTIFICATE_UNTRUSTED",
    `${whose} may not issue certificates at this place of the chain`,
  );
}

/** RFC 5280, section 6.1.3 (a)(1) and (4). */
async function requireIssuedBy(
  certificate: Certificate,
  issuer: Certificate,
  crypto: CryptoProvider,
): Promise<void> {
  const wanted = certificate.extensions.authorityKeyIdentifier;
  const present = issuer.extensions.subjectKeyIdentifier;
  const isOtherKey = wanted !== undefined && present !== undefined && !equalBytes(wanted, present);
  if (isOtherKey || !equalBytes(certificate.issuer.der, issuer.subject.der)) {
    throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", "the chain does not lead to the root of the project");
  }
  if (!(await isSignedBy(certificate, issuer, crypto))) {
    throw new PkiError("ERR_CERTIFICATE_SIGNATURE", "a signature of the certificate chain does not verify");
  }
}

async function isSignedBy(
  certificate: Certificate,
  issuer: Certificate,
  crypto: CryptoProvider,
): Promise<boolean> {
  const scheme = schemeOf(certificate.signatureAlgorithm, issuer.publicKey);
  if (scheme.name === "RSASSA-PKCS1-v1_5") {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", "certificates are signed by ECDSA or RSA-PSS");
  }
  let signature: Bytes;
  try {
    signature = fromCertificateForm(scheme, certificate.signature);
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_SIGNATURE", "the signature is not in DER", { cause });
  }
  if (!isCanonicalSignature(scheme, signature)) return false;
  return crypto.verifyCertificateSignature(issuer.publicKey.spki, scheme, signature, certificate.tbs);
}
