export { createKit, generateSecret, type KitRequest, type StartupKit } from "./create-kit.ts";
export {
  type CreateProjectOptions,
  createProject,
  type ProjectRoot,
  type ProvisionedProject,
  type ProvisionModules,
} from "./create-project.ts";
export {
  type AdapterDefinition,
  type ConnectionSecurity,
  type ProjectDefinition,
  parseProjectDefinition,
  type ServerDefinition,
  type SiteDefinition,
  type UserDefinition,
} from "./definition.ts";
export { createInvite, type EnrolmentModules, type Invite, type InviteOptions } from "./invite.ts";
export { buildJoinFragment, type JoinLink, parseJoinFragment } from "./join-link.ts";
export type { KitConfiguration, KitServer } from "./kit-configuration.ts";
export {
  KIT_FILE,
  KIT_LIMITS,
  type KitFiles,
  type KitLimits,
  LOCAL_AUTHENTICATION,
  LOCAL_FOLDER,
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  LOCAL_SIGN_IN,
} from "./kit-files.ts";
export type { KitManifest, KitManifestFile } from "./kit-manifest.ts";
export { type KitExpectations, type OpenedKit, openKit, type VerifiedKit, verifyKit } from "./open-kit.ts";
export { type EnrolledSite, type EnrolmentAuthority, type Redemption, redeemInvite } from "./redeem.ts";
export { openRootKey, type RevocableProject, type RevokeOptions, revoke, type SealedRoot } from "./revoke.ts";
export { type ThrowAwayOptions, throwAwayProject } from "./throw-away-project.ts";
