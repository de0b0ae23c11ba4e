import type { Awaitable, CertificateSignatureScheme } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";

/** What is known about one certificate from the revocation list of its issuer. */
export type RevocationAnswer =
  /** The newest list does not name it; that list is to be believed until `untilMs` (its nextUpdate, ms since 1970). */
  | { readonly status: "good"; readonly untilMs: number }
  /** The newest list names it. */
  | { readonly status: "revoked" }
  /** There is no list of this issuer that could be believed at this time. */
  | { readonly status: "unknown" };

/** Where path validation learns what was revoked (RFC 5280, section 6.1.3 (a)(3)). */
export interface RevocationSource {
  /** Another number whenever an answer may have changed: with each list that was taken in. Results are cached under it. */
  readonly epoch: number;
  /**
   * @param certificate whose signature by `issuer` has verified
   * @param issuer the certificate above it in the path, or the pinned root
   * @param atMs time of the validation, ms since 1970
   */
  check(certificate: Certificate, issuer: Certificate, atMs: number): Awaitable<RevocationAnswer>;
}

/** Name of a signature scheme, as {@link CertificateSignatureScheme} has it. */
export type SchemeName = CertificateSignatureScheme["name"];

/** Parameters of path validation: what a general validator leaves to whoever relies on the certificates. */
export interface PathRules {
  /** Most certificates of a path, the pinned root included. */
  readonly maximumDepth: number;
  /** Schemes by which certificates and revocation lists may be signed. */
  readonly schemes: readonly SchemeName[];
}

/** What certificates of Photinus keep to (protocol, section 8). */
export const PHOTINUS_PATH_RULES: PathRules = {
  maximumDepth: 4,
  schemes: ["ECDSA", "RSA-PSS"],
};
