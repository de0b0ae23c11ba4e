import { type Bytes, concatBytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { Awaitable, CryptoProvider, SignatureAlgorithm, SigningKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { explicit, integer, objectIdentifier, octetString, sequence, setOf, time } from "./der-writer.ts";
import { fromCertificateForm, toCertificateForm } from "./ecdsa-form.ts";
import { OID } from "./object-identifiers.ts";
import { algorithmOf } from "./public-key.ts";
import { schemeOf, signatureAlgorithmIdentifier } from "./signature-algorithm.ts";

/** No signature of Photinus is larger: one certificate and one signer. */
const MAX_SIGNATURE_BYTES = 16_384;

/** Who signs a file. */
export interface FileSigner {
  /** Certificate of the signer; travels in the signature so that openssl finds it. */
  readonly certificate: Certificate;
  /** Its private key. */
  readonly key: SigningKey;
}

/**
 * Signs content as detached CMS SignedData (RFC 5652) with signed attributes, as `openssl cms -verify -inform DER
 * -content FILE -binary -CAfile ROOT` checks it.
 *
 * @returns DER
 */
export async function signDetached(
  content: Bytes,
  { certificate, key, nowMs }: FileSigner & { readonly nowMs: number },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const digestAlgorithm = sequence(objectIdentifier(digestOf(key.algorithm)));
  const attributes = setOf(
    attribute(OID.contentType, objectIdentifier(OID.data)),
    attribute(OID.messageDigest, octetString(await digest(content, key.algorithm, crypto))),
    attribute(OID.signingTime, time(nowMs)),
  );
  const signature = toCertificateForm(key.algorithm, await crypto.sign(key, attributes));
  const signerInfo = sequence(
    integer(1),
    sequence(certificate.issuer.der, integer(certificate.serialNumber)),
    digestAlgorithm,
    retagged(attributes, 0xa0),
    signatureAlgorithmIdentifier(key.algorithm),
    octetString(signature),
  );
  const signedData = sequence(
    integer(1),
    setOf(digestAlgorithm),
    sequence(objectIdentifier(OID.data)),
    explicit(0, certificate.der),
    setOf(signerInfo),
  );
  return sequence(objectIdentifier(OID.signedData), explicit(0, signedData));
}

/**
 * Verifies a signature that {@link signDetached} made. The certificates inside it are ignored: only `signer` counts.
 *
 * @throws PkiError `ERR_CERTIFICATE_SIGNATURE` when it is malformed, by somebody else, or over other content
 */
export async function verifyDetached(
  signature: Bytes,
  { content, signer }: { readonly content: Bytes; readonly signer: Certificate },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<void> {
  const algorithm = algorithmOf(signer.publicKey);
  const info = asInvalid(() => readSignerInfo(signature, signer, algorithm));
  if (!equalBytes(info.messageDigest, await digest(content, algorithm, crypto))) {
    throw invalid("the content is not what was signed");
  }
  const scheme = schemeOf(info.scheme, signer.publicKey);
  const p1363 = asInvalid(() => fromCertificateForm(scheme, info.signature));
  const { spki } = signer.publicKey;
  if (!(await crypto.verifyCertificateSignature(spki, scheme, p1363, info.attributes))) {
    throw invalid("the signature does not verify");
  }
}

function attribute(type: string, value: Bytes): Bytes {
  return sequence(objectIdentifier(type), setOf(value));
}

/** The signed attributes are signed as a SET and carried as [0] (RFC 5652, section 5.4). */
function retagged(der: Bytes, tag: number): Bytes {
  return concatBytes(Uint8Array.of(tag), der.subarray(1));
}

function digestOf(algorithm: SignatureAlgorithm): string {
  return algorithm === 3 ? OID.sha384 : OID.sha256;
}

function digest(content: Bytes, algorithm: SignatureAlgorithm, crypto: CryptoProvider): Awaitable<Bytes> {
  return algorithm === 3 ? crypto.sha384(content) : crypto.sha256(content);
}

function invalid(detail: string, cause?: unknown): PkiError {
  return new PkiError("ERR_CERTIFICATE_SIGNATURE", detail, { cause });
}

function asInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    throw invalid("not a detached CMS signature in DER by the expected signer", cause);
  }
}

interface SignerInfo {
  readonly scheme: {
    readonly name: "ECDSA" | "RSA-PSS";
    readonly hash: "SHA-256" | "SHA-384";
    readonly saltLength: 32;
  };
  /** As they were signed. */
  readonly attributes: Bytes;
  readonly messageDigest: Bytes;
  readonly signature: Bytes;
}

/** Everything but the digest, the time and the signature is what the signer's certificate makes it: compared, not read. */
function readSignerInfo(signature: Bytes, signer: Certificate, algorithm: SignatureAlgorithm): SignerInfo {
  if (signature.length > MAX_SIGNATURE_BYTES) throw new RangeError(`signature of ${signature.length} bytes`);
  requireDer(signature);
  const [contentType, wrapped, ...after] = derChildren(signature);
  requireEqual(contentType, objectIdentifier(OID.signedData));
  const [signedData, ...more] = derChildren(required(wrapped), 0xa0);
  const fields = derChildren(required(signedData));
  const [version, digestAlgorithms, encapsulated, certificates, signerInfos, ...rest] = fields;
  if (after.length + more.length + rest.length > 0) throw new RangeError("more than one signed content");
  const digestAlgorithm = sequence(objectIdentifier(digestOf(algorithm)));
  requireEqual(version, integer(1));
  requireEqual(digestAlgorithms, setOf(digestAlgorithm));
  requireEqual(encapsulated, sequence(objectIdentifier(OID.data)));
  requireEqual(certificates, explicit(0, signer.der));
  const [info, ...others] = derChildren(required(signerInfos), 0x31);
  if (others.length > 0) throw new RangeError("more than one signer");
  const [infoVersion, identifier, infoDigest, attributes, infoAlgorithm, value, ...unsigned] = derChildren(
    required(info),
  );
  requireEqual(infoVersion, integer(1));
  requireEqual(identifier, sequence(signer.issuer.der, integer(signer.serialNumber)));
  requireEqual(infoDigest, digestAlgorithm);
  requireEqual(infoAlgorithm, signatureAlgorithmIdentifier(algorithm));
  if (required(attributes)[0] !== 0xa0 || unsigned.length > 0) throw new RangeError("attributes");
  const signed = retagged(required(attributes), 0x31);
  const scheme = algorithm === 2 ? ("RSA-PSS" as const) : ("ECDSA" as const);
  return {
    scheme: { name: scheme, hash: algorithm === 3 ? "SHA-384" : "SHA-256", saltLength: 32 },
    attributes: signed,
    messageDigest: messageDigestOf(signed),
    signature: derContent(required(value), 4),
  };
}

function messageDigestOf(attributes: Bytes): Bytes {
  // setOf in signDetached sorts them, and requireDer proved the order.
  const [contentType, signingTime, messageDigest, ...rest] = derChildren(attributes, 0x31);
  requireEqual(contentType, attribute(OID.contentType, objectIdentifier(OID.data)));
  const [timeType] = derChildren(required(signingTime));
  requireEqual(timeType, objectIdentifier(OID.signingTime));
  const [digestType, values] = derChildren(required(messageDigest));
  requireEqual(digestType, objectIdentifier(OID.messageDigest));
  const [value, ...more] = derChildren(required(values), 0x31);
  if (rest.length + more.length > 0) throw new RangeError("attributes that were not expected");
  return derContent(required(value), 4);
}

function required(value: Bytes | undefined): Bytes {
  if (value === undefined) throw new RangeError("a field is missing");
  return value;
}

function requireEqual(value: Bytes | undefined, expected: Bytes): void {
  if (!equalBytes(required(value), expected))
    throw new RangeError("a field is not what the signer would write");
}
