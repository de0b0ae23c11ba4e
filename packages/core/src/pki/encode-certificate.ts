import type { Bytes } from "../bytes/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import { type Certificate, parseCertificate, wholeBytes } from "./certificate.ts";
import { derChildren } from "./der-reader.ts";
import {
  bitString,
  explicit,
  implicit,
  integer,
  NULL,
  objectIdentifier,
  octetString,
  sequence,
  TRUE,
  time,
} from "./der-writer.ts";
import { encodeDistinguishedName, type NameParts } from "./distinguished-name.ts";
import { encodeCriticalExtension, encodeExtension } from "./extension-list.ts";
import { type KeyUsage, keyUsageBits } from "./extensions.ts";
import { OID } from "./object-identifiers.ts";
import { signatureAlgorithmIdentifier } from "./signature-algorithm.ts";
import { encodeSigned } from "./signed-value.ts";
import { encodeSubjectAlternativeNames } from "./subject-alternative-names.ts";

/** What a certificate is to say. */
export interface CertificateTemplate {
  /** Name of the holder. */
  readonly subject: NameParts;
  /** SubjectPublicKeyInfo of the holder, DER. */
  readonly publicKey: Bytes;
  /** First moment of validity, ms since 1970; written in whole seconds. */
  readonly notBeforeMs: number;
  /** Last moment of validity, ms since 1970; never beyond the issuer's. */
  readonly notAfterMs: number;
  /** URI of subjectAltName. */
  readonly uri?: string;
  /** Host names and addresses of subjectAltName. */
  readonly hosts?: readonly string[];
  /** Makes it a CA. */
  readonly authority?: { readonly pathLength?: number };
  /** What its key may do. */
  readonly keyUsage: readonly KeyUsage[];
  /** Object identifiers of extendedKeyUsage; none for a CA. */
  readonly purposes?: readonly string[];
  /** SHA-256 of the invite's code. */
  readonly inviteDigest?: Bytes;
  /** The holder is admitted only over TLS to which it presented this certificate. */
  readonly mutualTls?: boolean;
}

/** Who signs: a CA, or the holder itself when there is no certificate yet. */
export interface Issuer {
  /** The issuer's certificate; absent for a root. */
  readonly certificate?: Certificate;
  /** Its private key. */
  readonly key: SigningKey;
}

/** Encodes and signs a certificate. */
export async function signCertificate(
  template: CertificateTemplate,
  { certificate: authority, key }: Issuer,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  const subject = encodeDistinguishedName(template.subject);
  const subjectKey = await keyIdentifier(template.publicKey, crypto);
  const notAfterMs = Math.min(template.notAfterMs, authority?.notAfterMs ?? Number.POSITIVE_INFINITY);
  const tbs = sequence(
    explicit(0, integer(2)), // version 3
    integer(randomSerialNumber(crypto)),
    signatureAlgorithmIdentifier(key.algorithm),
    authority?.subject.der ?? subject,
    sequence(time(template.notBeforeMs), time(notAfterMs)),
    subject,
    template.publicKey,
    explicit(3, sequence(...extensions(template, subjectKey, authority))),
  );
  return parseCertificate(await encodeSigned(tbs, key, { crypto }), { crypto });
}

/** 16 random bytes with the first bit 0 and the second 1: positive, never with leading zeros, so always as long. */
function randomSerialNumber(crypto: CryptoProvider): Bytes {
  const bytes = crypto.randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** RFC 7093, section 2, method 1: the first 160 bits of the SHA-256 of the public key. */
async function keyIdentifier(spki: Bytes, crypto: CryptoProvider): Promise<Bytes> {
  const key = derChildren(spki)[1];
  if (key === undefined) throw new RangeError("not a SubjectPublicKeyInfo");
  return (await crypto.sha256(wholeBytes(key))).slice(0, 20);
}

function extensions(
  template: CertificateTemplate,
  subjectKey: Bytes,
  authority: Certificate | undefined,
): readonly Bytes[] {
  const { uri, hosts = [], purposes = [], inviteDigest, mutualTls = false } = template;
  const authorityKey = authority?.extensions.subjectKeyIdentifier ?? subjectKey;
  const optional = [
    purposes.length > 0 && encodeExtension(OID.extendedKeyUsage, sequence(...purposes.map(objectIdentifier))),
    uri !== undefined && encodeExtension(OID.subjectAltName, encodeSubjectAlternativeNames(uri, hosts)),
    inviteDigest !== undefined && encodeExtension(OID.inviteDigest, octetString(inviteDigest)),
    mutualTls && encodeExtension(OID.mutualTls, NULL),
  ];
  return [
    encodeCriticalExtension(OID.basicConstraints, basicConstraints(template.authority)),
    encodeCriticalExtension(OID.keyUsage, keyUsage(template.keyUsage)),
    encodeExtension(OID.subjectKeyIdentifier, octetString(subjectKey)),
    encodeExtension(OID.authorityKeyIdentifier, sequence(implicit(0, authorityKey))),
    ...optional.filter((encoded) => encoded !== false),
  ];
}

function basicConstraints(authority: CertificateTemplate["authority"]): Bytes {
  if (authority === undefined) return sequence();
  const { pathLength } = authority;
  return pathLength === undefined ? sequence(TRUE) : sequence(TRUE, integer(pathLength));
}

/** A list of named bits ends with its last set one (X.690, section 11.2.2). */
function keyUsage(usages: readonly KeyUsage[]): Bytes {
  const bits = keyUsageBits(usages);
  const unused = Math.max(0, Math.log2(bits & -bits));
  return bitString(Uint8Array.of(bits), unused);
}
