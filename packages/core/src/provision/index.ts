export {
  type Approval,
  type Approver,
  CertificateRequests,
  DEFAULT_REQUEST_LIMITS,
  type RequestLimits,
  type RequestOutcome,
  type RequestRecord,
} from "./certificate-requests.ts";
export { createKit, generateSecret, type KeylessKit, type StartupKit } from "./create-kit.ts";
export {
  type CreateProjectOptions,
  createProject,
  type ProjectRoot,
  type ProvisionedProject,
  type ProvisionModules,
} from "./create-project.ts";
export {
  type AdapterDefinition,
  type ConnectionDefinition,
  type ConnectionSecurity,
  type KeyChoice,
  type ParticipantDefinition,
  type ParticipantKeyKind,
  type ProjectDefinition,
  parseProjectDefinition,
  type ServerDefinition,
  type SiteDefinition,
  type UserDefinition,
  type ValidityDefinition,
} from "./definition.ts";
export { projectSchema } from "./definition-schema.ts";
export {
  type EnrolledKit,
  enrolledKitFiles,
  isEnrolledKit,
  openEnrolledKit,
  type ReadEnrolledKit,
  readEnrolledKit,
} from "./enrolled-kit.ts";
export {
  type Device,
  type EnrolledParticipant,
  EnrolledParticipants,
  type KeyHolder,
  MAX_DEVICES,
  RENEWAL_GRACE_MS,
} from "./enrolled-participants.ts";
export { endOfEnrolment } from "./enrolment-end.ts";
export { formatFingerprint } from "./fingerprint.ts";
export {
  createInvite,
  type EnrolmentModules,
  type Invite,
  type InviteOptions,
  inviteCode,
  inviteTerms,
  keyName,
  MAX_INVITE_LIFETIME_MS,
} from "./invite.ts";
export { type SealedInvite, type SealInviteModules, sealInvite } from "./invite-order.ts";
export { DEFAULT_INVITE_QUOTA, type InviteQuota, type InviteRecord, InviteStore } from "./invite-store.ts";
export { buildJoinFragment, type JoinLink, parseJoinFragment } from "./join-link.ts";
export type { KitConfiguration, KitServer } from "./kit-configuration.ts";
export {
  KIT_FILE,
  KIT_LIMITS,
  type KitFiles,
  type KitLimits,
  LOCAL_AUTHENTICATION,
  LOCAL_AUTHORIZATION,
  LOCAL_FOLDER,
  LOCAL_MACHINES,
  LOCAL_PLUGINS,
  LOCAL_PRIVACY,
  LOCAL_REQUEST,
  LOCAL_RESOURCES,
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  LOCAL_ROSTER,
  LOCAL_SECRET,
  LOCAL_SIGN_IN,
  OWN_KEY_FILES,
} from "./kit-files.ts";
export type { KitManifest, KitManifestFile } from "./kit-manifest.ts";
export type { EnrolmentMaterial, KitRequest, ServerMaterial } from "./kit-request.ts";
export { MAX_KIT_ZIP_BYTES, readKitZip } from "./kit-zip.ts";
export { encodeMachines, type Machine, parseMachines } from "./machines.ts";
export { type KitExpectations, type OpenedKit, openKit, type VerifiedKit, verifyKit } from "./open-kit.ts";
export {
  encodeProjectState,
  type IssuedCertificate,
  type IssuedParticipant,
  MAX_PROJECT_STATE_BYTES,
  markRevoked,
  notAfterOf,
  type ProjectState,
  parseProjectState,
} from "./project-state.ts";
export { type RedeemedSite, type Redemption, redeemInvite } from "./redeem.ts";
export {
  type KitRequestFiles,
  type OpenedKitRequest,
  openKitRequest,
  openRequestedKey,
  type RequestedParticipant,
  requestKit,
} from "./request-kit.ts";
export {
  openRootKey,
  type RevocableProject,
  type RevocationBasis,
  type RevokeOptions,
  revoke,
  type SealedRoot,
} from "./revoke.ts";
export {
  encodeRoster,
  parseRoster,
  type Roster,
  type RosterSite,
  type RosterSource,
  type RosterStudy,
  type Study,
  type StudyMember,
} from "./roster.ts";
export { type SignedRequest, signRequest } from "./sign-request.ts";
export {
  type EnrolledSite,
  type EnrolmentAuthority,
  issueSite,
  renewSite,
  type SiteToIssue,
} from "./site-certificate.ts";
export { type ThrowAwayOptions, throwAwayProject } from "./throw-away-project.ts";
export {
  type ExistingProject,
  type ProjectUpdate,
  type ServerKeys,
  type UpdateProjectOptions,
  updateProject,
} from "./update-project.ts";
