import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import { bitString, sequence } from "./der-writer.ts";
import { fromCertificateForm, toCertificateForm } from "./ecdsa-form.ts";
import type { SchemeName } from "./path-rules.ts";
import type { CertificateKey } from "./public-key.ts";
import {
  type NamedSignatureAlgorithm,
  schemeOf,
  signatureAlgorithmIdentifier,
} from "./signature-algorithm.ts";

/** What certificates and revocation lists have in common: signed bytes, how, and the signature. */
export interface SignedValue {
  /** What was signed, DER. */
  readonly tbs: Bytes;
  /** How it was signed. */
  readonly signatureAlgorithm: NamedSignatureAlgorithm;
  /** The signature in the form of certificates (ECDSA in DER). */
  readonly signature: Bytes;
}

/**
 * Signs the first part of a certificate, a request or a revocation list.
 * @returns SEQUENCE { tbs, algorithm of the key, signature }, DER
 */
export async function encodeSigned(
  tbs: Bytes,
  key: SigningKey,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const signature = toCertificateForm(key.algorithm, await crypto.sign(key, tbs));
  return sequence(tbs, signatureAlgorithmIdentifier(key.algorithm), bitString(signature));
}

/** Whose signature is looked for, and by which schemes it may be. */
export interface ExpectedSigner {
  /** Key of the issuer. */
  readonly key: CertificateKey;
  /** Schemes that are admitted. */
  readonly schemes: readonly SchemeName[];
}

/**
 * True when the value is signed by the key. Of an ECDSA signature either s is accepted.
 *
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` when scheme and key do not go together or the scheme is not admitted,
 *   `ERR_CERTIFICATE_SIGNATURE` when the signature is not in DER
 */
export async function isSignedBy(
  { tbs, signatureAlgorithm, signature }: SignedValue,
  { key, schemes }: ExpectedSigner,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<boolean> {
  const scheme = schemeOf(signatureAlgorithm, key);
  if (!schemes.includes(scheme.name)) {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `signatures by ${scheme.name} are not admitted here`);
  }
  let p1363: Bytes;
  try {
    p1363 = fromCertificateForm(scheme, signature);
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_SIGNATURE", "the signature is not in DER", { cause });
  }
  return crypto.verifyCertificateSignature(key.spki, scheme, p1363, tbs);
}
