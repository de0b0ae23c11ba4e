import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { wholeBytes } from "./certificate.ts";
import { readTime } from "./certificate-time.ts";
import { type RevocationReason, readEntryExtensions, readListExtensions } from "./crl-extensions.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { type DistinguishedName, readDistinguishedName } from "./distinguished-name.ts";
import { type NamedSignatureAlgorithm, readSignatureAlgorithm } from "./signature-algorithm.ts";

/**
 * No revocation list is larger: it travels in message 2 of the handshake beside a chain and a root, in 65 535 bytes.
 * An entry takes 35 to 49 bytes, so about 650 certificates of one issuer can be revoked at a time.
 */
export const MAX_REVOCATION_LIST_BYTES = 32_768;

/** A revoked certificate. */
export interface RevokedCertificate {
  /** Content of the INTEGER, as in the certificate. */
  readonly serialNumber: Bytes;
  /** When it was revoked, ms since 1970. */
  readonly revokedAtMs: number;
  /** Why. */
  readonly reason: RevocationReason;
}

/**
 * What a CRL of version 2 says (RFC 5280, section 5): complete, of one issuer. Parsing proves its form, nothing else:
 * see `verifyRevocationList`.
 */
export interface RevocationList {
  /** The whole, DER. */
  readonly der: Bytes;
  /** SHA-256 of {@link der}. */
  readonly digest: Bytes;
  /** What the issuer signed, DER. */
  readonly tbs: Bytes;
  /** Name of the CA. */
  readonly issuer: DistinguishedName;
  /** Identifier of the CA's key. */
  readonly authorityKeyIdentifier: Bytes | undefined;
  /** crlNumber: 0 to 2^53 - 1. */
  readonly number: number;
  /** When it was issued, ms since 1970. */
  readonly thisUpdateMs: number;
  /** When the next one is due at the latest, ms since 1970. */
  readonly nextUpdateMs: number;
  /** The revoked certificates by serial number: hex of the content of the INTEGER. */
  readonly entries: ReadonlyMap<string, RevokedCertificate>;
  /** How the issuer signed. */
  readonly signatureAlgorithm: NamedSignatureAlgorithm;
  /** The signature in the form of certificates (ECDSA in DER). */
  readonly signature: Bytes;
}

/**
 * Reads one revocation list in strict DER.
 *
 * @param der kept, not changed; at most {@link MAX_REVOCATION_LIST_BYTES}
 * @throws PkiError `ERR_CRL_MALFORMED`; `ERR_CRL_UNSUPPORTED` for a delta or indirect list, one that covers a part of
 *   the certificates, and an unknown critical extension of the list or of an entry; `ERR_CERTIFICATE_UNSUPPORTED` for
 *   an algorithm
 */
export async function parseRevocationList(
  der: Bytes,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<RevocationList> {
  if (der.length > MAX_REVOCATION_LIST_BYTES) {
    throw new PkiError("ERR_CRL_MALFORMED", `revocation list of ${der.length} bytes`);
  }
  const list = asMalformed(() => read(der));
  return { ...list, digest: await crypto.sha256(der) };
}

/** The parser of names and algorithms fails with its own errors: all of them mean the same to our caller. */
function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    const detail = cause instanceof RangeError ? `: ${cause.message}` : "";
    throw new PkiError("ERR_CRL_MALFORMED", `not a revocation list in DER${detail}`, { cause });
  }
}

function read(der: Bytes): Omit<RevocationList, "digest"> {
  requireDer(der);
  const [tbs, outerAlgorithm, signatureBits, ...more] = derChildren(der);
  if (tbs === undefined || outerAlgorithm === undefined || signatureBits === undefined || more.length > 0) {
    throw new RangeError("expected three values");
  }
  const fields = tbsFields(tbs);
  // RFC 5280, section 5.1.1.2: the signed and the unsigned AlgorithmIdentifier are the same.
  if (!equalBytes(fields.algorithm, outerAlgorithm)) throw new RangeError("inner and outer algorithm differ");
  const thisUpdateMs = timeOf(fields.thisUpdate);
  const nextUpdateMs = timeOf(fields.nextUpdate);
  if (!(thisUpdateMs < nextUpdateMs)) throw new RangeError("the next update is due before this one");
  return {
    der,
    tbs,
    issuer: readDistinguishedName(fields.issuer),
    ...readListExtensions(fields.extensions),
    thisUpdateMs,
    nextUpdateMs,
    entries: entriesOf(fields.revoked),
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    signature: wholeBytes(signatureBits),
  };
}

interface TbsFields {
  readonly algorithm: Bytes;
  readonly issuer: Bytes;
  readonly thisUpdate: Bytes;
  readonly nextUpdate: Bytes;
  readonly revoked: readonly Bytes[];
  readonly extensions: Bytes;
}

const VERSION_2 = Uint8Array.of(2, 1, 1);

/** Version 2 with nextUpdate and extensions, as RFC 5280, section 5.1.2 demands. */
function tbsFields(tbs: Bytes): TbsFields {
  const [version, algorithm, issuer, thisUpdate, nextUpdate, ...rest] = derChildren(tbs);
  if (version === undefined || !equalBytes(version, VERSION_2)) throw new RangeError("not of version 2");
  const revoked = rest[0]?.[0] === 0x30 ? rest.shift() : undefined;
  const extensions = rest[0]?.[0] === 0xa0 ? rest.shift() : undefined;
  const isWhole = algorithm && issuer && thisUpdate && nextUpdate && extensions;
  if (!isWhole || rest.length > 0) throw new RangeError("fields are missing, or there are too many");
  const [extensionList, ...others] = derChildren(extensions, 0xa0);
  if (extensionList === undefined || others.length > 0) throw new RangeError("extensions");
  return {
    algorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked: revoked === undefined ? [] : atLeastOne(derChildren(revoked)),
    extensions: extensionList,
  };
}

/** RFC 5280, section 5.1.2.6: a list of nothing is left out, so that nothing has one encoding. */
function atLeastOne(values: readonly Bytes[]): readonly Bytes[] {
  if (values.length === 0) throw new RangeError("an empty sequence");
  return values;
}

function entriesOf(revoked: readonly Bytes[]): ReadonlyMap<string, RevokedCertificate> {
  const entries = new Map<string, RevokedCertificate>();
  for (const der of revoked) {
    const entry = entryOf(der);
    const key = toHex(entry.serialNumber);
    if (entries.has(key)) throw new RangeError(`serial number ${key} occurs twice`);
    entries.set(key, entry);
  }
  return entries;
}

function entryOf(der: Bytes): RevokedCertificate {
  const [serial, revokedAt, extensions, ...more] = derChildren(der);
  if (serial === undefined || revokedAt === undefined || more.length > 0) throw new RangeError("entry");
  const serialNumber = derContent(serial, 2);
  if (serialNumber.length > 20) throw new RangeError("serial number of more than 20 bytes");
  const reason = extensions === undefined ? "unspecified" : readEntryExtensions(extensions);
  return { serialNumber, revokedAtMs: timeOf(revokedAt), reason };
}

/** Time (RFC 5280, section 5.1.2.4): UTCTime to 2049, GeneralizedTime after. */
function timeOf(der: Bytes): number {
  const { atMs, isInItsForm } = readTime(der);
  if (!isInItsForm) throw new RangeError("a time before 2050 in the long form");
  return atMs;
}
