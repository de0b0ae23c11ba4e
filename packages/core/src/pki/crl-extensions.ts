import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { derChildren, derContent } from "./der-reader.ts";
import { derOf, readExtensionList } from "./extension-list.ts";
import { OID } from "./object-identifiers.ts";

/**
 * Why a certificate was revoked, by the numbers of CRLReason (RFC 5280, section 5.3.1). A certificate on hold counts
 * as revoked; `removeFromCRL` exists in delta lists only, so it is refused.
 */
export const REVOCATION_REASONS = {
  /** 0; the extension is left out. */
  unspecified: 0,
  /** 1: the holder's key is in other hands. */
  keyCompromise: 1,
  /** 2: the CA's key is in other hands. */
  cACompromise: 2,
  /** 3: name or organization changed. */
  affiliationChanged: 3,
  /** 4: another certificate took its place. */
  superseded: 4,
  /** 5: not needed any longer. */
  cessationOfOperation: 5,
  /** 6: for now. */
  certificateHold: 6,
  /** 9: a right was withdrawn. */
  privilegeWithdrawn: 9,
  /** 10: the attribute authority's key is in other hands. */
  aACompromise: 10,
} as const;

/** A reason by its name. */
export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** What the extensions of a list say. */
export interface ListExtensions {
  /** crlNumber: 0 to 2^53 - 1. */
  readonly number: number;
  /** Identifier of the CA's key. */
  readonly authorityKeyIdentifier: Bytes | undefined;
}

/** A list with one of these does not cover all certificates of its issuer: refused, critical or not. */
const PARTIAL: ReadonlySet<string> = new Set([OID.deltaCrlIndicator, OID.issuingDistributionPoint]);

const LIST_HANDLED: ReadonlySet<string> = new Set([OID.crlNumber, OID.authorityKeyIdentifier]);

/** certificateIssuer exists in indirect lists only: refused, critical or not. */
const INDIRECT: ReadonlySet<string> = new Set([OID.certificateIssuer]);

const ENTRY_HANDLED: ReadonlySet<string> = new Set([OID.reasonCode]);

/**
 * Reads the extensions of a list: the SEQUENCE of them, of which `requireDer` has checked the whole.
 * @throws PkiError `ERR_CRL_UNSUPPORTED`, RangeError for malformed ones
 */
export function readListExtensions(der: Bytes): ListExtensions {
  const values = valuesOf(der, { handled: LIST_HANDLED, refused: PARTIAL });
  const number = values.get(OID.crlNumber);
  if (number === undefined) throw new RangeError("a list without a number");
  const keyIdentifier = values.get(OID.authorityKeyIdentifier);
  return {
    number: numberOf(number),
    authorityKeyIdentifier: keyIdentifier === undefined ? undefined : keyOf(keyIdentifier),
  };
}

/**
 * Reads the extensions of an entry, in the same form.
 * @throws PkiError `ERR_CRL_UNSUPPORTED`, RangeError for malformed ones
 */
export function readEntryExtensions(der: Bytes): RevocationReason {
  const code = valuesOf(der, { handled: ENTRY_HANDLED, refused: INDIRECT }).get(OID.reasonCode);
  if (code === undefined) return "unspecified";
  const digits = derContent(code, 10);
  for (const [word, number] of Object.entries(REVOCATION_REASONS)) {
    if (digits.length === 1 && digits[0] === number) return word as RevocationReason; // a key of the table
  }
  throw new PkiError("ERR_CRL_UNSUPPORTED", "an entry for a reason that complete lists do not have");
}

interface Known {
  readonly handled: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

/** Values of the handled extensions, DER, by type. */
function valuesOf(der: Bytes, { handled, refused }: Known): ReadonlyMap<string, Bytes> {
  const extensions = readExtensionList(der);
  for (const { type, isCritical } of extensions) {
    if (refused.has(type) || (isCritical && !handled.has(type))) {
      throw new PkiError("ERR_CRL_UNSUPPORTED", `extension ${type} of a revocation list is not supported`);
    }
  }
  const known = extensions.filter(({ type }) => handled.has(type));
  return new Map(known.map((extension) => [extension.type, derOf(extension)]));
}

/** RFC 5280, section 5.2.3 allows 20 bytes; a list is numbered from 1, so 2^53 - 1 is never reached. */
function numberOf(der: Bytes): number {
  const digits = derContent(der, 2);
  if ((digits[0] ?? 0x80) >= 0x80) throw new RangeError("a negative number");
  if (digits.length > 7) throw new PkiError("ERR_CRL_UNSUPPORTED", "the number of the list is too large");
  const number = digits.reduce((value, digit) => value * 256 + digit, 0);
  if (Number.isSafeInteger(number)) return number;
  throw new PkiError("ERR_CRL_UNSUPPORTED", "the number of the list is too large");
}

/** keyIdentifier [0] of AuthorityKeyIdentifier (RFC 5280, section 4.2.1.1). */
function keyOf(der: Bytes): Bytes | undefined {
  const identifier = derChildren(der).find((part) => part[0] === 0x80);
  return identifier === undefined ? undefined : derContent(identifier, 0x80);
}
