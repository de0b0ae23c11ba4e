import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import { type Issuer, signCertificate } from "./encode-certificate.ts";
import type { Name } from "./names.ts";
import { OID } from "./object-identifiers.ts";
import { enrolmentUrn, participantUrn, type Subject } from "./urn.ts";

const DAY_MS = 86_400_000;

/** How long certificates are valid, in ms. */
export interface Lifetimes {
  /** Root CA: ten years. */
  readonly root: number;
  /** Enrolment CA: 90 days. */
  readonly enrolmentCa: number;
  /** Servers, users and sites with a kit: 360 days. */
  readonly participant: number;
  /** Sites that enrolled by an invite: 7 days. */
  readonly enrolledSite: number;
}

/** How long certificates are valid by default, in ms (protocol, section 8). */
export const LIFETIME_MS: Lifetimes = {
  root: 3650 * DAY_MS,
  enrolmentCa: 90 * DAY_MS,
  participant: 360 * DAY_MS,
  enrolledSite: 7 * DAY_MS,
};

/** Certificates are valid from five minutes ago on: the clock of who reads one may be that much behind. */
const BACKDATED_MS = 300_000;

/** When a certificate is issued and how long it lasts. */
export interface Validity {
  /** Time of issue, ms since 1970. */
  readonly nowMs: number;
  /** ms from `nowMs` to the end; by default that of {@link LIFETIME_MS}. */
  readonly lifetimeMs?: number;
}

function validity(
  { nowMs, lifetimeMs }: Validity,
  defaultMs: number,
): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: nowMs - BACKDATED_MS, notAfterMs: nowMs + (lifetimeMs ?? defaultMs) };
}

/** What {@link issueRoot} takes. */
export interface RootRequest extends Validity {
  /** Name of the project whose trust begins here. */
  readonly project: Name;
  /** Key of the root: P-384, or RSA-PSS of 3072 bits. */
  readonly key: SigningKey;
}

/** Issues the self-signed root. Its key also signs the manifests of kits, hence digitalSignature. */
export function issueRoot(
  { project, key, ...times }: RootRequest,
  modules: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  return signCertificate(
    {
      subject: { organization: project, commonName: `${project} root` },
      publicKey: key.publicKey,
      ...validity(times, LIFETIME_MS.root),
      authority: { pathLength: 1 },
      keyUsage: ["digitalSignature", "keyCertSign", "cRLSign"],
    },
    { key },
    modules,
  );
}

/** What {@link issueEnrolmentCa} takes. */
export interface EnrolmentCaRequest extends Validity {
  /** Name of the project. */
  readonly project: Name;
  /** SubjectPublicKeyInfo of the enrolment CA, DER. */
  readonly publicKey: Bytes;
}

/** Issues the CA whose key the server may hold: under it only sites are valid. */
export function issueEnrolmentCa(
  { project, publicKey, ...times }: EnrolmentCaRequest,
  issuer: Issuer,
  modules: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  return signCertificate(
    {
      subject: { organization: project, commonName: `${project} enrolment` },
      publicKey,
      ...validity(times, LIFETIME_MS.enrolmentCa),
      uri: enrolmentUrn(project),
      authority: { pathLength: 0 },
      keyUsage: ["keyCertSign", "cRLSign"],
    },
    issuer,
    modules,
  );
}

/** What {@link issueParticipant} takes. */
export interface ParticipantRequest extends Validity {
  /** Who it is for. */
  readonly subject: Subject;
  /** Organization that the participant belongs to. */
  readonly org: Name;
  /** SubjectPublicKeyInfo of the participant, DER. */
  readonly publicKey: Bytes;
  /** Servers: host names and addresses under which TLS clients reach it. */
  readonly hosts?: readonly string[];
  /** Enrolled sites: SHA-256 of the invite's code. */
  readonly inviteDigest?: Bytes;
  /** Clients: admitted only over TLS to which they presented this certificate. Default false. */
  readonly mutualTls?: boolean;
}

/**
 * Issues the certificate of a server, site or user.
 * @throws PkiError `ERR_CERTIFICATE_PURPOSE` when the enrolment CA is asked for anything but a site: every validator
 *   would refuse that certificate
 */
export async function issueParticipant(
  request: ParticipantRequest,
  issuer: Issuer,
  modules: { readonly crypto: CryptoProvider },
): Promise<Certificate> {
  const { subject, org, publicKey, hosts, inviteDigest, mutualTls = false, ...times } = request;
  const isEnrolment =
    issuer.certificate?.extensions.names.uris.includes(enrolmentUrn(subject.project)) ?? false;
  if (isEnrolment && (subject.role !== "site" || inviteDigest === undefined)) {
    throw new PkiError(
      "ERR_CERTIFICATE_PURPOSE",
      "the enrolment CA issues only sites that an invite admitted",
    );
  }
  const lifetimeMs = isEnrolment ? LIFETIME_MS.enrolledSite : LIFETIME_MS.participant;
  return signCertificate(
    {
      subject: { organization: org, organizationalUnit: subject.role, commonName: subject.name },
      publicKey,
      ...validity(times, lifetimeMs),
      uri: participantUrn(subject),
      ...(hosts === undefined ? {} : { hosts }),
      ...(inviteDigest === undefined ? {} : { inviteDigest }),
      mutualTls,
      keyUsage: ["digitalSignature"],
      purposes: [subject.role === "server" ? OID.serverAuth : OID.clientAuth],
    },
    issuer,
    modules,
  );
}
