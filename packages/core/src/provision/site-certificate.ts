import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import {
  type Certificate,
  type Issuer,
  issueParticipant,
  LIFETIME_MS,
  parseCertificate,
  requireName,
  type Suspensions,
  subjectOf,
} from "../pki/index.ts";
import { EnrolledParticipants, type KeyHolder, RENEWAL_GRACE_MS } from "./enrolled-participants.ts";
import { type EnrolmentModules, keyName } from "./invite.ts";

/** What the server enrols with. */
export interface EnrolmentAuthority {
  /** Name of the project. */
  readonly project: string;
  /** The enrolment CA, from the server's kit. */
  readonly issuer: Required<Issuer>;
  /** Names that kits carry, which no enrolled site may have. */
  readonly isProvisioned?: (name: string) => boolean;
  /** What administrators decided: a key whose certificate is suspended gets no other, its name no further device. */
  readonly suspensions?: Pick<Suspensions, "of" | "held">;
}

/** A site that enrolled. */
export interface EnrolledSite {
  /** Name that it got. */
  readonly name: string;
  /** Organization of the invite. */
  readonly org: string;
  /** Its certificate and the enrolment CA's, DER. */
  readonly chain: readonly Bytes[];
  /** SHA-256 of its certificate. */
  readonly leafDigest: Bytes;
  /** When its certificate expires, ms since 1970. */
  readonly notAfterMs: number;
  /** Digest of the invite's code or of the approval, for the audit record. */
  readonly inviteDigest: Bytes;
}

/** For whom {@link issueSite} issues; the name was claimed for the key. */
export interface SiteToIssue {
  /** Name of the site. */
  readonly name: string;
  /** Organization that it belongs to. */
  readonly org: string;
  /** Its key: SubjectPublicKeyInfo, DER. */
  readonly spki: Bytes;
  /** Digest of the invite's code or of the approval. */
  readonly inviteDigest: Bytes;
}

/** Issues a certificate for a site and notes it under its key, so that it can be renewed. */
export async function issueSite(
  { name, org, spki, inviteDigest }: SiteToIssue,
  { project, issuer }: EnrolmentAuthority,
  modules: EnrolmentModules,
): Promise<EnrolledSite> {
  const { crypto, clock, metadata } = modules;
  const subject = subjectOf(project, "site", name);
  if (subject === undefined) throw new PkiError("ERR_CERTIFICATE_NAME", `${name} is no name of a site`);
  const certificate = await issueParticipant(
    {
      subject,
      org: requireName(org, "the organization"),
      publicKey: spki,
      inviteDigest,
      nowMs: clock.now(),
    },
    issuer,
    { crypto },
  );
  const holder = { name, inviteDigest, leaf: certificate.der };
  const participants = new EnrolledParticipants(metadata);
  await participants.issued(await keyName(spki, modules), holder, certificate.notAfterMs);
  return enrolledSite(certificate, { org, inviteDigest, issuer });
}

interface OfSite extends Pick<EnrolmentAuthority, "issuer"> {
  readonly org: string;
  readonly inviteDigest: Bytes;
}

function enrolledSite(certificate: Certificate, { org, inviteDigest, issuer }: OfSite): EnrolledSite {
  return {
    name: certificate.subject.commonName ?? "",
    org,
    chain: [certificate.der, issuer.certificate.der],
    leafDigest: certificate.digest,
    notAfterMs: certificate.notAfterMs,
    inviteDigest,
  };
}

/** @throws PkiError `ERR_CERTIFICATE_EXPIRED` when nothing that it issues would count */
export function requireUsableIssuer({ issuer }: EnrolmentAuthority, nowMs: number): void {
  if (nowMs <= issuer.certificate.notAfterMs) return;
  throw new PkiError("ERR_CERTIFICATE_EXPIRED", "the enrolment CA has expired: provision the project again");
}

/**
 * Whoever was put out does not come in again by another certificate for the same key, whichever way it asks.
 * @param key name of the key
 * @throws PkiError `ERR_REVOKED`, `ERR_SUSPENDED`
 */
export async function requireNotPutOut(
  key: string,
  { suspensions }: EnrolmentAuthority,
  { metadata, crypto }: EnrolmentModules,
): Promise<void> {
  const participants = new EnrolledParticipants(metadata);
  const holder = await participants.holderOf(key);
  if (holder === undefined) return;
  const { name, leaf } = holder;
  const devices = (await participants.find(name))?.devices ?? [];
  if (devices.some((device) => device.key === key && device.isRevoked)) {
    throw new PkiError("ERR_REVOKED", `the certificate of ${name} was revoked`);
  }
  const { digest } = await parseCertificate(leaf, { crypto });
  if (suspensions?.of(digest) !== undefined) {
    throw new PkiError("ERR_SUSPENDED", `the certificate of ${name} is suspended`);
  }
}

/** A certificate is issued anew once no more than this part of its life is left. */
const RENEWAL_PART = 1 / 3;

/**
 * The next certificate for a key that was issued one before, for the same name: when it has expired, until 30 days later;
 * before, the one that it has until two thirds of its life are over.
 *
 * @throws PkiError `ERR_CERTIFICATE_EXPIRED` when that was too long ago, `ERR_REVOKED`, `ERR_SUSPENDED`
 */
export async function renewSite(
  holder: KeyHolder,
  authority: EnrolmentAuthority,
  modules: EnrolmentModules,
): Promise<EnrolledSite> {
  const { crypto, clock, metadata } = modules;
  const nowMs = clock.now();
  requireUsableIssuer(authority, nowMs);
  const { name, inviteDigest, leaf } = holder;
  const certificate = await parseCertificate(leaf, { crypto });
  const { spki } = certificate.publicKey;
  const key = await keyName(spki, modules);
  await requireNotPutOut(key, authority, modules);
  const participant = await new EnrolledParticipants(metadata).find(name);
  const device = participant?.devices.find((each) => each.key === key);
  if (participant === undefined || device === undefined || nowMs > device.notAfterMs + RENEWAL_GRACE_MS) {
    throw new PkiError(
      "ERR_CERTIFICATE_EXPIRED",
      `the certificate of ${name} expired too long ago to be renewed`,
    );
  }
  const { org } = participant;
  const isFresh = certificate.notAfterMs - nowMs > LIFETIME_MS.enrolledSite * RENEWAL_PART;
  if (isFresh && isIssuedBy(certificate, authority))
    return enrolledSite(certificate, { org, inviteDigest, issuer: authority.issuer });
  return await issueSite({ name, org, spki, inviteDigest }, authority, modules);
}

/** The enrolment CA may have been replaced meanwhile. */
function isIssuedBy({ extensions }: Certificate, { issuer }: EnrolmentAuthority): boolean {
  const { authorityKeyIdentifier } = extensions;
  const { subjectKeyIdentifier } = issuer.certificate.extensions;
  if (authorityKeyIdentifier === undefined || subjectKeyIdentifier === undefined) return false;
  return equalBytes(authorityKeyIdentifier, subjectKeyIdentifier);
}
