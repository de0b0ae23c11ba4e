import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { SignatureAlgorithm } from "../platform/index.ts";
import { derChildren, derContent, derObjectIdentifier, requireDer } from "./der-reader.ts";
import { NULL } from "./der-writer.ts";
import { OID } from "./object-identifiers.ts";

/** A subject's public key. */
export interface CertificateKey {
  /** SubjectPublicKeyInfo, DER, as the certificate carries it. */
  readonly spki: Bytes;
  /** Curve of the key, or RSA of 2048 to 4096 bits. */
  readonly kind: "RSA" | "P-256" | "P-384";
}

/** [W-145] Less is weak (SP 800-131A), more lets a peer burn our time. */
const RSA_BITS = { least: 2048, most: 4096 } as const;

const COORDINATE_BYTES = { "P-256": 32, "P-384": 48 } as const;

/**
 * Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), of which `requireDer` has checked the whole.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for another kind of key and for a weak one; RangeError
 */
export function readPublicKey(spki: Bytes): CertificateKey {
  const [algorithm, bits, ...more] = derChildren(spki);
  if (algorithm === undefined || bits === undefined || more.length > 0) throw new RangeError("public key");
  const [type, parameters, ...others] = derChildren(algorithm);
  const [unused, ...key] = derContent(bits, 3);
  if (type === undefined || unused !== 0 || others.length > 0) throw new RangeError("public key");
  const name = derObjectIdentifier(type);
  if (name === OID.rsaEncryption) return readRsaKey(spki, { parameters, key: Uint8Array.from(key) });
  if (name === OID.ecPublicKey) return readCurveKey(spki, { parameters, key: Uint8Array.from(key) });
  throw unsupported(`public key algorithm ${name}`);
}

interface KeyParts {
  readonly parameters: Bytes | undefined;
  readonly key: Bytes;
}

/** RFC 3279, section 2.3.1: parameters NULL, the key SEQUENCE { modulus, publicExponent }. */
function readRsaKey(spki: Bytes, { parameters, key }: KeyParts): CertificateKey {
  requireDer(key);
  const [modulus, exponent, ...more] = derChildren(key).map(unsigned);
  const isWhole = modulus !== undefined && exponent !== undefined && more.length === 0;
  if (parameters === undefined || !equalBytes(parameters, NULL) || !isWhole) throw new RangeError("RSA key");
  const bits = 8 * modulus.length - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < RSA_BITS.least || bits > RSA_BITS.most) throw unsupported(`RSA key of ${bits} bits`);
  // FIPS 186-5, section A.1.1: odd and above 2^16; above 2^32 nobody has one, and it costs the verifier.
  const isExponent = isOdd(exponent) && exponent.length >= 3 && exponent.length <= 4;
  if (!isExponent || !isOdd(modulus)) throw unsupported("RSA key with such an exponent or modulus");
  return { spki, kind: "RSA" };
}

/** RFC 5480, section 2: a named curve and an uncompressed point, which the provider finds to be on the curve or not. */
function readCurveKey(spki: Bytes, { parameters, key }: KeyParts): CertificateKey {
  const name = parameters?.[0] === 6 ? derObjectIdentifier(parameters) : "of one's own";
  const kind = name === OID.p256 ? "P-256" : name === OID.p384 ? "P-384" : undefined;
  if (kind === undefined) throw unsupported(`curve ${name}`);
  if (key[0] !== 4 || key.length !== 1 + 2 * COORDINATE_BYTES[kind]) throw unsupported("compressed point");
  return { spki, kind };
}

/** Digits of a positive INTEGER without the zero before a high first bit. */
function unsigned(der: Bytes): Bytes {
  const digits = derContent(der, 2);
  if ((digits[0] ?? 0x80) >= 0x80) throw new RangeError("a negative number in a key");
  return digits[0] === 0 ? digits.subarray(1) : digits;
}

function isOdd(digits: Bytes): boolean {
  return ((digits.at(-1) ?? 0) & 1) === 1;
}

function unsupported(what: string): PkiError {
  return new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `${what} is not supported`);
}

/** The algorithm by which a key of this kind signs in Photinus. */
export function algorithmOf({ kind }: CertificateKey): SignatureAlgorithm {
  switch (kind) {
    case "P-256":
      return 1;
    case "RSA":
      return 2;
    case "P-384":
      return 3;
  }
}
