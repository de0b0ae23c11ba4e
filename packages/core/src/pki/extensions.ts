import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { derChildren, derContent, derObjectIdentifier } from "./der-reader.ts";
import { NULL, TRUE } from "./der-writer.ts";
import { derOf, type EncodedExtension, readExtensionList } from "./extension-list.ts";
import { type NameConstraints, readNameConstraints } from "./name-constraints.ts";
import { OID } from "./object-identifiers.ts";
import {
  NO_NAMES,
  readSubjectAlternativeNames,
  type SubjectAlternativeNames,
} from "./subject-alternative-names.ts";

/** What the bits of keyUsage allow, by their names in RFC 5280, section 4.2.1.3. */
export type KeyUsage = "digitalSignature" | "keyCertSign" | "cRLSign";

/** What the extensions of a certificate say. */
export interface CertificateExtensions {
  /** Present for a CA; `pathLength` is the number of CAs that may follow below it. */
  readonly authority: { readonly pathLength: number | undefined } | undefined;
  /** Allowed uses of the key; `undefined` when the extension is absent. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** Object identifiers of extendedKeyUsage; `undefined` when the extension is absent. */
  readonly purposes: readonly string[] | undefined;
  /** Names beside the subject's. */
  readonly names: SubjectAlternativeNames;
  /** Names that the certificates below a CA may have; `undefined` when the extension is absent. */
  readonly nameConstraints: NameConstraints | undefined;
  /** Identifier of the holder's key. */
  readonly subjectKeyIdentifier: Bytes | undefined;
  /** Identifier of the issuer's key. */
  readonly authorityKeyIdentifier: Bytes | undefined;
  /** SHA-256 of the code of the invite by which it was enrolled. */
  readonly inviteDigest: Bytes | undefined;
  /** True: the holder is admitted only over TLS to which it presented this certificate. */
  readonly mutualTls: boolean;
}

/** Policy machinery: present at all, critical or not, it is refused, since it changes what a path means. */
const REFUSED: ReadonlySet<string> = new Set([
  OID.policyMappings,
  OID.policyConstraints,
  OID.inhibitAnyPolicy,
]);

const HANDLED: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.nameConstraints,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.inviteDigest,
  OID.mutualTls,
]);

/**
 * Reads the extensions: the SEQUENCE of them, of which `requireDer` has checked the whole.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for an unknown critical one, for policy machinery and for constraints
 *   that are not checked here; RangeError for malformed ones
 */
export function readExtensions(der: Bytes): CertificateExtensions {
  const extensions = new Map(readExtensionList(der).map((extension) => [extension.type, extension]));
  // [W-144]
  for (const { type, isCritical } of extensions.values()) {
    if (!REFUSED.has(type) && (!isCritical || HANDLED.has(type))) continue;
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `extension ${type} is not supported`);
  }
  const read = <T>(type: string, parse: (value: Bytes, extension: EncodedExtension) => T): T | undefined => {
    const extension = extensions.get(type);
    return extension === undefined ? undefined : parse(derOf(extension), extension);
  };
  return {
    authority: read(OID.basicConstraints, readBasicConstraints),
    keyUsage: read(OID.keyUsage, readKeyUsage),
    purposes: read(OID.extendedKeyUsage, readPurposes),
    names: read(OID.subjectAltName, readSubjectAlternativeNames) ?? NO_NAMES,
    nameConstraints: read(OID.nameConstraints, readNameConstraints),
    subjectKeyIdentifier: read(OID.subjectKeyIdentifier, (value) => derContent(value, 4)),
    authorityKeyIdentifier: read(OID.authorityKeyIdentifier, readAuthorityKey),
    inviteDigest: read(OID.inviteDigest, readInviteDigest),
    mutualTls: read(OID.mutualTls, readMutualTls) ?? false,
  };
}

/** RFC 5280, section 4.2.1.9: SEQUENCE { cA DEFAULT FALSE, pathLenConstraint OPTIONAL, for a CA only }. */
function readBasicConstraints(der: Bytes): CertificateExtensions["authority"] {
  const [isAuthority, pathLength, ...more] = derChildren(der);
  if (isAuthority === undefined) return undefined;
  if (!equalBytes(isAuthority, TRUE) || more.length > 0) throw new RangeError("basic constraints");
  if (pathLength === undefined) return { pathLength: undefined };
  const digits = derContent(pathLength, 2);
  if ((digits[0] ?? 0x80) >= 0x80 || digits.length > 4) throw new RangeError("path length");
  return { pathLength: digits.reduce((value, digit) => value * 256 + digit, 0) };
}

/** Bit 0 is the highest of the first byte (RFC 5280, section 4.2.1.3). */
const KEY_USAGE_BITS: readonly (readonly [KeyUsage, number])[] = [
  ["digitalSignature", 0x80],
  ["keyCertSign", 0x04],
  ["cRLSign", 0x02],
];

function readKeyUsage(der: Bytes): ReadonlySet<KeyUsage> {
  const content = derContent(der, 3);
  const [unused = 0, bits = 0] = content;
  // At least one bit is set, and X.690, section 11.2.2 leaves zeros behind the last one out.
  const last = content.length > 3 ? 0 : (content.at(-1) ?? 0);
  if (content.length < 2 || ((last >> unused) & 1) === 0) throw new RangeError("key usage");
  return new Set(KEY_USAGE_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([usage]) => usage));
}

/** The bits of keyUsage for these uses, as one byte. */
export function keyUsageBits(usages: readonly KeyUsage[]): number {
  return KEY_USAGE_BITS.reduce((bits, [usage, bit]) => (usages.includes(usage) ? bits | bit : bits), 0);
}

function readPurposes(der: Bytes): readonly string[] {
  const purposes = derChildren(der).map(derObjectIdentifier);
  if (purposes.length === 0) throw new RangeError("an empty list of purposes");
  return purposes;
}

/** keyIdentifier [0]; the issuer's name and serial number, [1] and [2], only help to find a certificate. */
function readAuthorityKey(der: Bytes): Bytes | undefined {
  const identifier = derChildren(der).find(([tag]) => tag === 0x80);
  return identifier === undefined ? undefined : derContent(identifier, 0x80);
}

function readInviteDigest(der: Bytes): Bytes {
  const digest = derContent(der, 4);
  if (digest.length !== 32) throw new RangeError("invite digest is not 32 bytes");
  return digest;
}

function readMutualTls(der: Bytes): true {
  if (!equalBytes(der, NULL)) throw new RangeError("mutual TLS is stated by NULL");
  return true;
}
