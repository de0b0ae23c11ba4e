import type { Extension } from "pkijs";
import { type Bytes, toBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { derContent, requireDer } from "./der-reader.ts";
import { objectIdentifier } from "./der-writer.ts";
import type { PkiLibraries } from "./libraries.ts";
import { OID } from "./object-identifiers.ts";
import { readSubjectAlternativeNames, type SubjectAlternativeNames } from "./subject-alternative-names.ts";

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
  /** Identifier of the holder's key. */
  readonly subjectKeyIdentifier: Bytes | undefined;
  /** Identifier of the issuer's key. */
  readonly authorityKeyIdentifier: Bytes | undefined;
  /** SHA-256 of the code of the invite by which it was enrolled. */
  readonly inviteDigest: Bytes | undefined;
}

/** Extensions whose meaning this code does not carry out: present at all, they are refused, not ignored. */
const REFUSED: ReadonlySet<string> = new Set([
  OID.nameConstraints,
  OID.policyMappings,
  OID.policyConstraints,
  OID.inhibitAnyPolicy,
]);

const HANDLED: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
]);

/**
 * Reads the extensions.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for an unknown critical one and for one that restricts what is signed
 *   below in ways that are not checked here; RangeError for malformed ones
 */
export function readExtensions(
  extensions: readonly Extension[],
  libraries: PkiLibraries,
): CertificateExtensions {
  const values = new Map<string, Bytes>();
  for (const { extnID, critical, extnValue } of extensions) {
    if (values.has(extnID)) throw new RangeError(`extension ${extnID} occurs twice`);
    if (REFUSED.has(extnID) || (critical && !HANDLED.has(extnID))) {
      throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `extension ${extnID} is not supported`);
    }
    values.set(extnID, toBytes(extnValue.valueBlock.valueHexView));
  }
  return interpret(values, libraries);
}

function interpret(values: ReadonlyMap<string, Bytes>, libraries: PkiLibraries): CertificateExtensions {
  const read = <T>(type: string, parse: (der: Bytes) => T): T | undefined => {
    const der = values.get(type);
    if (der === undefined) return undefined;
    requireDer(der);
    return parse(der);
  };
  const { pkijs, asn1 } = libraries;
  return {
    authority: read(OID.basicConstraints, (der) => readBasicConstraints(der, libraries)),
    keyUsage: read(OID.keyUsage, readKeyUsage),
    purposes: read(OID.extendedKeyUsage, (der) => [...pkijs.ExtKeyUsage.fromBER(der).keyPurposes]),
    names: read(OID.subjectAltName, (der) => readSubjectAlternativeNames(der, libraries)) ?? {
      uris: [],
      dnsNames: [],
      ipAddresses: [],
      others: 0,
    },
    subjectKeyIdentifier: read(OID.subjectKeyIdentifier, (der) => derContent(der, 4)),
    authorityKeyIdentifier: read(OID.authorityKeyIdentifier, (der) => {
      const identifier = pkijs.AuthorityKeyIdentifier.fromBER(der).keyIdentifier;
      return identifier === undefined ? undefined : toBytes(identifier.valueBlock.valueHexView);
    }),
    inviteDigest: read(parsedForm(OID.inviteDigest, asn1), readInviteDigest),
  };
}

/** asn1js writes numbers of an OID that exceed 53 bits in a form of its own: the form to look for. */
function parsedForm(dotted: string, asn1: PkiLibraries["asn1"]): string {
  const { result } = asn1.fromBER(objectIdentifier(dotted));
  return result.valueBlock.toString();
}

function readBasicConstraints(
  der: Bytes,
  { pkijs }: PkiLibraries,
): { readonly pathLength: number | undefined } | undefined {
  const { cA, pathLenConstraint } = pkijs.BasicConstraints.fromBER(der);
  if (!cA) {
    if (pathLenConstraint !== undefined) throw new RangeError("path length without a CA");
    return undefined;
  }
  if (pathLenConstraint === undefined) return { pathLength: undefined };
  if (typeof pathLenConstraint !== "number" || pathLenConstraint < 0) throw new RangeError("path length");
  return { pathLength: pathLenConstraint };
}

/** Bit 0 is the highest of the first byte (RFC 5280, section 4.2.1.3). */
const KEY_USAGE_BITS: readonly (readonly [KeyUsage, number])[] = [
  ["digitalSignature", 0x80],
  ["keyCertSign", 0x04],
  ["cRLSign", 0x02],
];

function readKeyUsage(der: Bytes): ReadonlySet<KeyUsage> {
  const [, bits = 0] = derContent(der, 3);
  return new Set(KEY_USAGE_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([usage]) => usage));
}

/** The bits of keyUsage for these uses, as one byte. */
export function keyUsageBits(usages: readonly KeyUsage[]): number {
  return KEY_USAGE_BITS.reduce((bits, [usage, bit]) => (usages.includes(usage) ? bits | bit : bits), 0);
}

function readInviteDigest(der: Bytes): Bytes {
  const digest = derContent(der, 4);
  if (digest.length !== 32) throw new RangeError("invite digest is not 32 bytes");
  return digest;
}
