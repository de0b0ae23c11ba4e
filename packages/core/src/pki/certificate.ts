import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { type DistinguishedName, readDistinguishedName } from "./distinguished-name.ts";
import { type CertificateExtensions, readExtensions } from "./extensions.ts";
import { loadPki, type PkiLibraries } from "./libraries.ts";
import { type CertificateKey, readPublicKey } from "./public-key.ts";
import { type NamedSignatureAlgorithm, readSignatureAlgorithm } from "./signature-algorithm.ts";

/** No certificate on the wire or in a kit is larger (protocol, section 1). */
export const MAX_CERTIFICATE_BYTES = 8192;

/** What an X.509 version 3 certificate says. Parsing proves its form, nothing else: see `verifyChain`. */
export interface Certificate {
  /** The whole, DER. */
  readonly der: Bytes;
  /** SHA-256 of {@link der}. */
  readonly digest: Bytes;
  /** What the issuer signed, DER. */
  readonly tbs: Bytes;
  /** Content of the INTEGER: 1 to 20 bytes, positive. */
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
 * @throws PkiError `ERR_CERTIFICATE_MALFORMED`, `ERR_CERTIFICATE_UNSUPPORTED`
 */
export async function parseCertificate(
  der: Bytes,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", `certificate of ${der.length} bytes`);
  }
  const libraries = await loadPki();
  const certificate = asMalformed(() => read(der, libraries));
  return { ...certificate, digest: await crypto.sha256(der) };
}

/** The parser fails with its own errors by place of damage: all of them mean the same to our caller. */
function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    const detail = cause instanceof RangeError ? `: ${cause.message}` : "";
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", `not a certificate in DER${detail}`, { cause });
  }
}

function read(der: Bytes, libraries: PkiLibraries): Omit<Certificate, "digest"> {
  requireDer(der);
  const [tbs, outerAlgorithm, signatureBits] = exactly(3, derChildren(der));
  const fields = tbsFields(tbs);
  // RFC 5280, section 4.1.1.2: the signed and the unsigned AlgorithmIdentifier are the same.
  if (!equalBytes(fields.algorithm, outerAlgorithm)) throw new RangeError("inner and outer algorithm differ");
  const parsed = libraries.pkijs.Certificate.fromBER(der);
  return {
    der,
    tbs,
    serialNumber: serialNumber(fields.serialNumber),
    issuer: readDistinguishedName(fields.issuer, libraries),
    subject: readDistinguishedName(fields.subject, libraries),
    ...validity(parsed.notBefore.value, parsed.notAfter.value),
    publicKey: readPublicKey(fields.publicKey, libraries),
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm, libraries),
    signature: wholeBytes(signatureBits),
    extensions: readExtensions(parsed.extensions ?? [], libraries),
  };
}

type Three = readonly [Bytes, Bytes, Bytes];

function exactly(count: 3, values: readonly Bytes[]): Three {
  if (values.length !== count) throw new RangeError(`expected ${count} values, got ${values.length}`);
  return values as readonly Bytes[] as Three; // the length was checked
}

interface TbsFields {
  readonly serialNumber: Bytes;
  readonly algorithm: Bytes;
  readonly issuer: Bytes;
  readonly subject: Bytes;
  readonly publicKey: Bytes;
}

/** Version 3, the six fields of every certificate, extensions, and nothing else: no unique identifiers. */
function tbsFields(tbs: Bytes): TbsFields {
  const [version, serialNumber, algorithm, issuer, validityDer, subject, publicKey, extensions, ...rest] =
    derChildren(tbs);
  const isVersion3 = version !== undefined && equalBytes(version, Uint8Array.of(0xa0, 3, 2, 1, 2));
  if (!isVersion3 || extensions?.[0] !== 0xa3 || rest.length > 0) {
    throw new RangeError("not a version 3 certificate with extensions only");
  }
  const isWhole = serialNumber && algorithm && issuer && validityDer && subject && publicKey;
  if (!isWhole) throw new RangeError("fields are missing");
  return { serialNumber, algorithm, issuer, subject, publicKey };
}

function serialNumber(der: Bytes): Bytes {
  const digits = derContent(der, 2);
  const isPositive = (digits[0] ?? 0x80) < 0x80 && digits.some((digit) => digit !== 0);
  // RFC 5280, section 4.1.2.2: positive, at most 20 bytes.
  if (!isPositive || digits.length > 20) throw new RangeError("serial number is not positive, or too long");
  return digits;
}

function validity(notBefore: Date, notAfter: Date): { notBeforeMs: number; notAfterMs: number } {
  const times = { notBeforeMs: notBefore.getTime(), notAfterMs: notAfter.getTime() };
  if (!(times.notBeforeMs <= times.notAfterMs)) throw new RangeError("validity ends before it begins");
  return times;
}

/** Content of a BIT STRING that consists of whole bytes. */
export function wholeBytes(bitStringDer: Bytes): Bytes {
  const content = derContent(bitStringDer, 3);
  if (content[0] !== 0) throw new RangeError("bit string does not consist of whole bytes");
  return content.slice(1);
}
