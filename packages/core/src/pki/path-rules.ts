import type { Awaitable, CertificateSignatureScheme } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";

/** What is known about one certificate from the revocation list of its issuer. */
export type RevocationAnswer =
  /** The newest list does not name it; that list is to be believed until `untilMs` (its nextUpdate, ms since 1970). */
  | { readonly status: "good"; readonly untilMs: number }
  /** The newest list names it. */
  | { readonly status: "revoked" }
  /** An administrator has suspended it until `untilMs` (ms since 1970), or until he resumes it. */
  | { readonly status: "suspended"; readonly untilMs: number }
  /** There is no list of this issuer that could be believed at this time. */
  | { readonly status: "unknown" };

/** Where path validation learns what was revoked (RFC 5280, section 6.1.3 (a)(3)). */
export interface RevocationSource {
  /** Another number whenever an answer may have changed: with each list that was taken in. Results are cached under it. */
  readonly epoch: number;
  /**
   * What is known about one certificate.
   * @param certificate whose signature by `issuer` has verified
   * @param issuer the certificate above it in the path, or the pinned root
   * @param atMs time of the validation, ms since 1970
   */
  check(certificate: Certificate, issuer: Certificate, atMs: number): Awaitable<RevocationAnswer>;
}

/** Name of a signature scheme, as {@link CertificateSignatureScheme} has it. */
export type SchemeName = CertificateSignatureScheme["name"];

/**
 * What RFC 5280 forbids issuers and asks readers to put up with. Certificates of Photinus keep to what issuers are
 * told; the readers of old certificates (PKITS) need the rest.
 */
export interface FormRules {
  /** Serial numbers of zero and below (section 4.1.2.2). */
  readonly anySerialNumber: boolean;
  /** GeneralizedTime before 2050 (section 4.1.2.5). */
  readonly anyTimeForm: boolean;
  /** issuerUniqueID and subjectUniqueID, which are skipped (section 4.1.2.8). */
  readonly uniqueIdentifiers: boolean;
}

/** Nothing but what issuers are to write. */
export const STRICT_FORM: FormRules = {
  anySerialNumber: false,
  anyTimeForm: false,
  uniqueIdentifiers: false,
};

/** All that readers are to put up with. */
export const TOLERANT_FORM: FormRules = { anySerialNumber: true, anyTimeForm: true, uniqueIdentifiers: true };

/** Parameters of path validation: what a general validator leaves to whoever relies on the certificates. */
export interface PathRules {
  /** Most certificates of a path, the pinned root included. */
  readonly maximumDepth: number;
  /** Schemes by which certificates and revocation lists may be signed. */
  readonly schemes: readonly SchemeName[];
  /** True: a CA says what its key may do (section 4.2.1.3 demands it of issuers). False: what is not said is allowed. */
  readonly requiresKeyUsage: boolean;
}

/** What certificates of Photinus keep to (protocol, section 8). */
export const PHOTINUS_PATH_RULES: PathRules = {
  maximumDepth: 4,
  schemes: ["ECDSA", "RSA-PSS"],
  requiresKeyUsage: true,
};

/** RFC 5280 as PKITS tests it: six certificates, RSASSA-PKCS1-v1_5 too. */
export const GENERAL_PATH_RULES: PathRules = {
  maximumDepth: 6,
  schemes: ["ECDSA", "RSA-PSS", "RSASSA-PKCS1-v1_5"],
  requiresKeyUsage: false,
};
