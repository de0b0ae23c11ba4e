import type { AuditLog } from "../../audit/index.ts";
import type { Authorizer } from "../../authorization/index.ts";
import type { Bytes } from "../../bytes/index.ts";
import type { RevocationLists } from "../../pki/index.ts";
import type { Clock, CryptoProvider, Logger, MetadataStore } from "../../platform/index.ts";
import type { PluginHost } from "../../plugin/index.ts";
import type { CertificateRequests, EnrolledSite, InviteQuota, RosterSource } from "../../provision/index.ts";
import type { Session } from "../../session/index.ts";

/** A certificate that the enrolment CA of this server issued. */
export interface IssuedCertificate {
  /** Name of the site. */
  readonly name: string;
  /** SHA-256 of the certificate, hex. */
  readonly leaf: string;
  /** The certificate, DER. */
  readonly der: Bytes;
  /** That of the enrolment CA, DER. */
  readonly issuer: Bytes;
}

/** The certificates of the enrolment CA that have not expired. */
export interface IssuedCertificates {
  /** All of them, by name and digest. */
  list(): Promise<readonly IssuedCertificate[]>;
  /** Revokes these by the CA's next list, which takes effect at once. @returns how many were not revoked before */
  revoke(certificates: readonly IssuedCertificate[], reason: string): Promise<number>;
}

/** What a server issues certificates by; absent in a server without an enrolment CA. */
export interface EnrolmentDesk {
  /** Requests without an invite. */
  readonly requests: CertificateRequests;
  /** What was issued. */
  readonly issued: IssuedCertificates;
  /** The next certificate for the key of a session. @throws PkiError */
  renew(spki: Bytes): Promise<EnrolledSite>;
}

/** Options of {@link Administration}. */
export interface AdministrationOptions {
  /** How many invites an organization may have open. */
  readonly quota?: InviteQuota;
}

/** What {@link Administration} works with. */
export interface AdministrationModules {
  /** Where invites are kept. */
  readonly metadata: MetadataStore;
  /** Hashes and parses. */
  readonly crypto: CryptoProvider;
  /** Time. */
  readonly clock: Clock;
  /** Where every order is recorded: who, whom, why. */
  readonly audit: AuditLog;
  /** Decides who may order what. */
  readonly authorizer: Authorizer;
  /** Asked about orders that the policy allows. Default: nobody. */
  readonly plugins?: PluginHost;
  /** Where log lines go. */
  readonly logger: Logger;
  /** Revoked and suspended certificates. */
  readonly revocations: RevocationLists;
  /** Studies of the project: who invites to one is in it. Absent: there are none. */
  readonly roster?: RosterSource | undefined;
  /** Absent: this server enrols nobody. */
  readonly enrolment?: EnrolmentDesk | undefined;
  /** The live sessions. */
  readonly sessions: () => Iterable<Session>;
}
