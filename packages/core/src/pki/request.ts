import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, SignatureAlgorithm, SigningKey } from "../platform/index.ts";
import { wholeBytes } from "./certificate.ts";
import { derChildren, requireDer } from "./der-reader.ts";
import { explicit, integer, sequence } from "./der-writer.ts";
import {
  type DistinguishedName,
  encodeDistinguishedName,
  type NameParts,
  readDistinguishedName,
} from "./distinguished-name.ts";
import { fromCertificateForm } from "./ecdsa-form.ts";
import { algorithmOf, type CertificateKey, readPublicKey } from "./public-key.ts";
import { type NamedSignatureAlgorithm, readSignatureAlgorithm, schemeOf } from "./signature-algorithm.ts";
import { encodeSigned } from "./signed-value.ts";

/** Requests on the wire are no larger (protocol, section 1). */
const MAX_REQUEST_BYTES = 8192;

/** A PKCS#10 request (RFC 2986) whose signature verified: its sender holds the private key. */
export interface CertificateRequest {
  /** Key to certify. */
  readonly publicKey: CertificateKey;
  /** How that key signs. */
  readonly algorithm: SignatureAlgorithm;
  /** The name that was asked for. The issuer decides by the invite, never by this. */
  readonly subject: DistinguishedName;
}

/** Makes a request; the key need not be extractable. @param names that are asked for @returns DER */
export async function createCertificateRequest(
  { commonName, organization, organizationalUnit }: NameParts,
  key: SigningKey,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const information = sequence(
    integer(0),
    encodeDistinguishedName({ commonName, organization, organizationalUnit }),
    key.publicKey,
    explicit(0), // no attributes
  );
  return await encodeSigned(information, key, { crypto });
}

/**
 * Reads a request and verifies its signature.
 * @throws PkiError `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_UNSUPPORTED`, `ERR_CERTIFICATE_SIGNATURE`
 */
export async function openCertificateRequest(
  der: Bytes,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<CertificateRequest> {
  if (der.length > MAX_REQUEST_BYTES)
    throw new PkiError("ERR_REQUEST_MALFORMED", `request of ${der.length} bytes`);
  const request = asMalformed(() => read(der));
  const { publicKey, subject, information, signature } = request;
  const scheme = schemeOf(request.signatureAlgorithm, publicKey);
  const p1363 = asMalformed(() => fromCertificateForm(scheme, signature));
  if (!(await crypto.verifyCertificateSignature(publicKey.spki, scheme, p1363, information))) {
    throw new PkiError("ERR_CERTIFICATE_SIGNATURE", "the request is not signed by the key that it names");
  }
  return { publicKey, algorithm: algorithmOf(publicKey), subject };
}

function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    throw new PkiError("ERR_REQUEST_MALFORMED", "not a certificate request in DER", { cause });
  }
}

interface ReadRequest {
  readonly information: Bytes;
  readonly subject: DistinguishedName;
  readonly publicKey: CertificateKey;
  readonly signatureAlgorithm: NamedSignatureAlgorithm;
  readonly signature: Bytes;
}

function read(der: Bytes): ReadRequest {
  requireDer(der);
  const [information, algorithm, signature, ...after] = derChildren(der);
  if (!information || !algorithm || !signature || after.length > 0)
    throw new RangeError("three values expected");
  const [version, subject, publicKey, attributes, ...more] = derChildren(information);
  if (!version || !subject || !publicKey || attributes?.[0] !== 0xa0 || more.length > 0) {
    throw new RangeError("version, subject, key and attributes expected");
  }
  return {
    information,
    subject: readDistinguishedName(subject),
    publicKey: readPublicKey(publicKey),
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    signature: wholeBytes(signature),
  };
}
