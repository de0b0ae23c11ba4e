import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { type CertificateTime, readTime } from "./certificate-time.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { type DistinguishedName, readDistinguishedName } from "./distinguished-name.ts";
import { type CertificateExtensions, readExtensions } from "./extensions.ts";
import { type FormRules, STRICT_FORM } from "./path-rules.ts";
import { type CertificateKey, readPublicKey } from "./public-key.ts";
import { type NamedSignatureAlgorithm, readSignatureAlgorithm } from "./signature-algorithm.ts";

/** No certificate on the wire or in a kit is larger (protocol, section 1). */
export const MAX_CERTIFICATE_BYTES = 8192;

/** What an X.509 version 3 certificate says. Parsing proves its form, nothing else: see `verifyChain`. */
export interface Certificate {
  /** The whole, DER. */
  readonly der: Bytes;
  /**
   * SHA-256 of {@link der}: identifies the certificate once `verifyChain` has brought the signature into its one form
   * (docs/decisions/0008-either-s.md).
   */
  readonly digest: Bytes;
  /** What the issuer signed, DER. */
  readonly tbs: Bytes;
  /** Content of the INTEGER: 1 to 20 bytes, positive unless the form admits others. */
  readonly serialNumber: Bytes;
  /** The issuer's name. */
  readonly issuer: DistinguishedName;
  /** The holder's name. */
  readonly subject: DistinguishedName;
  /** First moment of validity, ms since 1970. */
  readonly notBeforeMs: number;
  /** Last moment of validity, ms since 1970. */
  readonly notAfterMs: number;
  /** The holder's key. */
  readonly publicKey: CertificateKey;
  /** How the issuer signed. */
  readonly signatureAlgorithm: NamedSignatureAlgorithm;
  /** The signature in the form of certificates (ECDSA in DER). */
  readonly signature: Bytes;
  /** The extensions. */
  readonly extensions: CertificateExtensions;
}

/**
 * Reads one certificate in strict DER.
 *
 * @param der kept, not changed
 * @param form what else is admitted; nothing by default
 * @throws PkiError `ERR_CERTIFICATE_MALFORMED`, `ERR_CERTIFICATE_UNSUPPORTED`
 */
export async function parseCertificate(
  der: Bytes,
  { crypto }: { readonly crypto: CryptoProvider },
  form: FormRules = STRICT_FORM,
): Promise<Certificate> {
  // [W-143]
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", `certificate of ${der.length} bytes`);
  }
  const certificate = asMalformed(() => read(der, form));
  return { ...certificate, digest: await crypto.sha256(der) };
}

/** Readers of parts throw RangeError: of whichever part, it means the same to our caller. */
function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    const detail = cause instanceof RangeError ? `: ${cause.message}` : "";
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", `not a certificate in DER${detail}`, { cause });
  }
}

/** [W-143] here and in the functions that it calls. */
function read(der: Bytes, form: FormRules): Omit<Certificate, "digest"> {
  requireDer(der);
  const [tbs, outerAlgorithm, signatureBits, ...more] = derChildren(der);
  if (!tbs || !outerAlgorithm || !signatureBits || more.length > 0)
    throw new RangeError("expected three values");
  const fields = tbsFields(tbs, form);
  // RFC 5280, section 4.1.1.2: the signed and the unsigned AlgorithmIdentifier are the same.
  if (!equalBytes(fields.algorithm, outerAlgorithm)) throw new RangeError("inner and outer algorithm differ");
  const issuer = readDistinguishedName(fields.issuer);
  // RFC 5280, section 4.1.2.4
  if (issuer.relativeNames.length === 0) throw new RangeError("an issuer without a name");
  return {
    der,
    tbs,
    serialNumber: serialNumber(fields.serialNumber, form),
    issuer,
    subject: readDistinguishedName(fields.subject),
    ...validity(fields.validity, form),
    publicKey: readPublicKey(fields.publicKey),
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    signature: wholeBytes(signatureBits),
    extensions: readExtensions(fields.extensions),
  };
}

interface TbsFields {
  readonly serialNumber: Bytes;
  readonly algorithm: Bytes;
  readonly issuer: Bytes;
  readonly validity: Bytes;
  readonly subject: Bytes;
  readonly publicKey: Bytes;
  readonly extensions: Bytes;
}

const VERSION_3 = Uint8Array.of(0xa0, 3, 2, 1, 2);

/** Version 3: the six fields of every certificate and extensions, where the form admits it unique identifiers. */
function tbsFields(tbs: Bytes, form: FormRules): TbsFields {
  const [version, serialNumber, algorithm, issuer, validityDer, subject, publicKey, ...rest] =
    derChildren(tbs);
  if (version === undefined || !equalBytes(version, VERSION_3)) throw new RangeError("not of version 3");
  if (form.uniqueIdentifiers) dropUniqueIdentifiers(rest);
  const [wrapped, ...more] = rest;
  if (wrapped === undefined || more.length > 0) throw new RangeError("expected extensions and nothing else");
  const [extensions, ...others] = derChildren(wrapped, 0xa3);
  const isWhole = serialNumber && algorithm && issuer && validityDer && subject && publicKey && extensions;
  if (!isWhole || others.length > 0) throw new RangeError("fields are missing, or there are too many");
  return { serialNumber, algorithm, issuer, validity: validityDer, subject, publicKey, extensions };
}

/** issuerUniqueID [1] and subjectUniqueID [2], BIT STRINGs each, in this order. */
function dropUniqueIdentifiers(fields: Bytes[]): void {
  for (const tag of [0x81, 0x82]) if (fields[0]?.[0] === tag) fields.shift();
}

function serialNumber(der: Bytes, { anySerialNumber }: FormRules): Bytes {
  const digits = derContent(der, 2);
  const isPositive = (digits[0] ?? 0x80) < 0x80 && digits.some((digit) => digit !== 0);
  // RFC 5280, section 4.1.2.2: positive, at most 20 bytes.
  if (digits.length > 20 || !(isPositive || anySerialNumber)) {
    throw new RangeError("serial number is not positive, or too long");
  }
  return digits;
}

function validity(der: Bytes, { anyTimeForm }: FormRules): { notBeforeMs: number; notAfterMs: number } {
  const [notBefore, notAfter, ...more] = derChildren(der).map(readTime);
  if (notBefore === undefined || notAfter === undefined || more.length > 0) throw new RangeError("validity");
  const isInItsForm = (time: CertificateTime): boolean => anyTimeForm || time.isInItsForm;
  // RFC 5280, section 4.1.2.5
  if (!isInItsForm(notBefore) || !isInItsForm(notAfter))
    throw new RangeError("a time before 2050 in the long form");
  if (notBefore.atMs > notAfter.atMs) throw new RangeError("validity ends before it begins");
  return { notBeforeMs: notBefore.atMs, notAfterMs: notAfter.atMs };
}

/**
 * True when what an authorityKeyIdentifier wants is another key than the issuer's. Either may be absent (RFC 5280, section
 * 4.2.1.1): the signature decides.
 */
export function isOtherKey(wanted: Bytes | undefined, { extensions }: Certificate): boolean {
  const present = extensions.subjectKeyIdentifier;
  return wanted !== undefined && present !== undefined && !equalBytes(wanted, present);
}

/** Content of a BIT STRING that consists of whole bytes. */
export function wholeBytes(bitStringDer: Bytes): Bytes {
  const content = derContent(bitStringDer, 3);
  if (content[0] !== 0) throw new RangeError("bit string does not consist of whole bytes");
  return content.slice(1);
}
