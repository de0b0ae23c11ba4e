export { findValidPath, type PathMaterial } from "./build-path.ts";
export { type Certificate, MAX_CERTIFICATE_BYTES, parseCertificate } from "./certificate.ts";
export { certificateScheme } from "./certificate-scheme.ts";
export { plainParticipant } from "./certified-participant.ts";
export { ChainCache, type KnownChain, type ProvedChain, type RevocationState } from "./chain-cache.ts";
export {
  MAX_REVOCATION_LIST_BYTES,
  parseRevocationList,
  type RevocationList,
  type RevokedCertificate,
} from "./crl.ts";
export type { RevocationReason } from "./crl-extensions.ts";
export {
  issueRevocationList,
  REVOCATION_LIFETIME_MS,
  type RevocationIssuer,
  type RevocationRequest,
} from "./crl-issue.ts";
export { requireCurrent, verifyRevocationList } from "./crl-verify.ts";
export { type FileSigner, signDetached, verifyDetached } from "./detached-signature.ts";
export type { DistinguishedName, NameParts } from "./distinguished-name.ts";
export type { Issuer } from "./encode-certificate.ts";
export type { CertificateExtensions, KeyUsage } from "./extensions.ts";
export { type ExternalSigner, type SigningAbroad, signAbroad } from "./external-signer.ts";
export type { GeneralName } from "./general-name.ts";
export type { Identity } from "./identity.ts";
export {
  type EnrolmentCaRequest,
  issueEnrolmentCa,
  issueParticipant,
  issueRoot,
  LIFETIME_MS,
  type Lifetimes,
  type ParticipantRequest,
  type RootRequest,
  type Validity,
} from "./issue.ts";
export { loadPki, type PkiLibraries } from "./libraries.ts";
export { type ListedRevocationOptions, listedRevocation } from "./listed-revocation.ts";
export { type IdentityParts, loadIdentity } from "./load-identity.ts";
export type { NameConstraints } from "./name-constraints.ts";
export {
  isMachineName,
  isName,
  isUserName,
  NAME_PATTERN,
  type Name,
  requireName,
  USER_NAME_PATTERN,
  type UserName,
} from "./names.ts";
export type { Participant, Role } from "./participant.ts";
export {
  type FormRules,
  GENERAL_PATH_RULES,
  type PathRules,
  PHOTINUS_PATH_RULES,
  type RevocationAnswer,
  type RevocationSource,
  type SchemeName,
  STRICT_FORM,
  TOLERANT_FORM,
} from "./path-rules.ts";
export { certificatesFromPem, decodePem, encodePem, type PemLabel } from "./pem.ts";
export {
  GENERATED_SECRET_ITERATIONS,
  openPrivateKey,
  PASSPHRASE_ITERATIONS,
  sealPrivateKey,
} from "./private-key.ts";
export { algorithmOf, type CertificateKey } from "./public-key.ts";
export { type CertificateRequest, createCertificateRequest, openCertificateRequest } from "./request.ts";
export {
  type HeldRevocationList,
  type OfferedRevocationList,
  RevocationLists,
  type RevocationListsModules,
  type RevocationListsOptions,
  type RevocationNumber,
} from "./revocation-lists.ts";
export {
  decodeRevocationRecord,
  encodeRevocationRecord,
  metadataRevocationStore,
  type RevocationRecord,
  type RevocationStore,
} from "./revocation-store.ts";
export { isSameCertificate } from "./same-certificate.ts";
export type { NamedSignatureAlgorithm } from "./signature-algorithm.ts";
export type { SubjectAlternativeNames } from "./subject-alternative-names.ts";
export { metadataSuspensionStore } from "./suspension-store.ts";
export {
  type SuspensionDecision,
  type SuspensionStore,
  Suspensions,
  type SuspensionsModules,
} from "./suspensions.ts";
export {
  enrolmentUrn,
  isRole,
  isUserRole,
  parseParticipantUrn,
  participantUrn,
  type Subject,
  subjectOf,
} from "./urn.ts";
export { type PathConditions, type ValidPath, validatePath } from "./validate-path.ts";
export {
  type ChainExpectations,
  type ChainModules,
  type ChainUsage,
  type VerifiedChain,
  verifyChain,
} from "./verify-chain.ts";
