import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import type { RevocationList } from "./crl.ts";
import { fromCertificateForm } from "./ecdsa-form.ts";
import { schemeOf } from "./signature-algorithm.ts";

/** What {@link verifyRevocationList} works with. */
export interface RevocationProof {
  /** Verifies. */
  readonly crypto: CryptoProvider;
  /** Accepts RSASSA-PKCS1-v1_5 too, which Photinus does not use and the PKITS test suite does. Default false. */
  readonly allowsRsaPkcs1?: boolean;
}

/**
 * Proves that a CA issued a list: its name, its key identifier, its right to sign lists, its signature, by the same
 * algorithms as certificates. Whether the list is current is another question: see `requireCurrent`.
 *
 * @param issuer certificate of the CA, which the caller trusts
 * @throws PkiError `ERR_CRL_UNTRUSTED`, `ERR_CERTIFICATE_UNSUPPORTED` for an algorithm
 */
export async function verifyRevocationList(
  list: RevocationList,
  issuer: Certificate,
  proof: RevocationProof,
): Promise<void> {
  const wanted = list.authorityKeyIdentifier;
  const present = issuer.extensions.subjectKeyIdentifier;
  const isOtherKey = wanted !== undefined && present !== undefined && !equalBytes(wanted, present);
  if (isOtherKey || !equalBytes(list.issuer.der, issuer.subject.der)) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the revocation list is of another issuer");
  }
  if (!issuer.extensions.keyUsage?.has("cRLSign")) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the issuer may not sign revocation lists");
  }
  if (!(await isSignedBy(list, issuer, proof))) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the signature of the revocation list does not verify");
  }
}

async function isSignedBy(
  list: RevocationList,
  issuer: Certificate,
  { crypto, allowsRsaPkcs1 = false }: RevocationProof,
): Promise<boolean> {
  const scheme = schemeOf(list.signatureAlgorithm, issuer.publicKey);
  if (scheme.name === "RSASSA-PKCS1-v1_5" && !allowsRsaPkcs1) {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", "revocation lists are signed by ECDSA or RSA-PSS");
  }
  let signature: Bytes;
  try {
    signature = fromCertificateForm(scheme, list.signature);
  } catch {
    return false; // not r and s in DER: it verifies for nobody
  }
  return crypto.verifyCertificateSignature(issuer.publicKey.spki, scheme, signature, list.tbs);
}

/**
 * @throws PkiError `ERR_CRL_STALE` when its successor was due before `nowMs`, or it is of the future
 */
export function requireCurrent(list: RevocationList, nowMs: number): void {
  const { thisUpdateMs, nextUpdateMs, number } = list;
  if (nowMs > nextUpdateMs) {
    const due = new Date(nextUpdateMs).toISOString();
    throw new PkiError("ERR_CRL_STALE", `the successor of revocation list ${number} was due at ${due}`);
  }
  if (nowMs < thisUpdateMs) {
    const from = new Date(thisUpdateMs).toISOString();
    throw new PkiError("ERR_CRL_STALE", `revocation list ${number} is valid from ${from} on`);
  }
}
