import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import {
  MAX_REVOCATION_LIST_BYTES,
  parseRevocationList,
  type RevocationList,
  type RevokedCertificate,
} from "./crl.ts";
import { REVOCATION_REASONS } from "./crl-extensions.ts";
import { explicit, implicit, integer, sequence, time, tlv } from "./der-writer.ts";
import { encodeExtension } from "./extension-list.ts";
import { OID } from "./object-identifiers.ts";
import { signatureAlgorithmIdentifier } from "./signature-algorithm.ts";
import { encodeSigned } from "./signed-value.ts";

const DAY_MS = 86_400_000;

/** Until when the successor of a list is due, in ms from its issue (protocol, section 8). */
export const REVOCATION_LIFETIME_MS: { readonly root: number; readonly enrolment: number } = {
  root: 90 * DAY_MS,
  enrolment: DAY_MS,
};

/** Lists are valid from five minutes ago on, like certificates. */
const BACKDATED_MS = 300_000;

/** A CA that signs a list. */
export interface RevocationIssuer {
  /** Its certificate, with cRLSign. */
  readonly certificate: Certificate;
  /** Its private key. */
  readonly key: SigningKey;
}

/** What a list is to say. */
export interface RevocationRequest {
  /** crlNumber: one more than that of the list before. */
  readonly number: number;
  /** Time of issue, ms since 1970. */
  readonly nowMs: number;
  /** ms from `nowMs` until the next list is due. */
  readonly lifetimeMs: number;
  /** All certificates that are revoked now: those of the list before too. */
  readonly revoked: readonly RevokedCertificate[];
}

/**
 * Issues a list.
 * @throws PkiError `ERR_CRL_MALFORMED` when more certificates are revoked than a list may hold
 */
export async function issueRevocationList(
  { number, nowMs, lifetimeMs, revoked }: RevocationRequest,
  { certificate, key }: RevocationIssuer,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<RevocationList> {
  const tbs = sequence(
    integer(1), // version 2
    signatureAlgorithmIdentifier(key.algorithm),
    certificate.subject.der,
    time(nowMs - BACKDATED_MS),
    time(nowMs + lifetimeMs),
    ...(revoked.length === 0 ? [] : [sequence(...revoked.map(encodeEntry))]),
    explicit(0, sequence(...listExtensions(number, certificate))),
  );
  const der = await encodeSigned(tbs, key, { crypto });
  if (der.length > MAX_REVOCATION_LIST_BYTES) {
    throw new PkiError("ERR_CRL_MALFORMED", `${revoked.length} certificates do not fit into one list`);
  }
  return parseRevocationList(der, { crypto });
}

function encodeEntry({ serialNumber, revokedAtMs, reason }: RevokedCertificate): Bytes {
  // RFC 5280, section 5.3.1: "unspecified" is said by leaving it out.
  const code = tlv(10, Uint8Array.of(REVOCATION_REASONS[reason]));
  const extensions = reason === "unspecified" ? [] : [sequence(encodeExtension(OID.reasonCode, code))];
  return sequence(tlv(2, serialNumber), time(revokedAtMs), ...extensions);
}

function listExtensions(number: number, { extensions }: Certificate): readonly Bytes[] {
  const key = extensions.subjectKeyIdentifier;
  const identifier =
    key === undefined ? [] : [encodeExtension(OID.authorityKeyIdentifier, sequence(implicit(0, key)))];
  return [...identifier, encodeExtension(OID.crlNumber, integer(number))];
}
