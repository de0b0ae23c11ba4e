import { equalBytes } from "../bytes/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import { derChildren } from "./der-reader.ts";
import { bitString, sequence } from "./der-writer.ts";
import { toCanonicalForm } from "./ecdsa-form.ts";
import { schemeOf } from "./signature-algorithm.ts";

/**
 * The certificate with the smaller s in its ECDSA signature: (r, n - s) verifies as well as (r, s), so whoever holds a
 * certificate could otherwise give it a second digest, and suspension, tokens and objects go by digest. Issuers other
 * than ours write either, hence it is brought into form instead of being refused (docs/decisions/0008-either-s.md).
 *
 * @param certificate whose signature by `issuer` has verified
 */
export async function canonicalCertificate(
  certificate: Certificate,
  issuer: Certificate,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  const scheme = schemeOf(certificate.signatureAlgorithm, issuer.publicKey);
  const signature = toCanonicalForm(scheme, certificate.signature);
  const [, algorithm] = derChildren(certificate.der);
  if (algorithm === undefined || equalBytes(signature, certificate.signature)) return certificate;
  const der = sequence(certificate.tbs, algorithm, bitString(signature));
  return { ...certificate, der, digest: await crypto.sha256(der), signature };
}
