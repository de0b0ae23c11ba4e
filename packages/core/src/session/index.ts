export { acceptSession } from "./accept-session.ts";
export type {
  Authenticator,
  AuthenticatorOutcome,
  AuthenticatorRule,
  AuthenticatorVerdict,
  PeerFacts,
} from "./authenticator.ts";
export { requireServerNotRevoked } from "./client-handshake.ts";
export { connectSession } from "./connect-session.ts";
export {
  type ChainBody,
  enrolled,
  type Heartbeat,
  heartbeat,
  type LoginChallengeBody,
  loginChallenge,
  type RevocationListBody,
  revocationList,
  signerChain,
  type TokensBody,
  tokens,
} from "./control-messages.ts";
export { CredentialBook, type CredentialBookModules } from "./credential-book.ts";
export { CredentialRequiredError } from "./credential-required.ts";
export {
  type CredentialRequest,
  type CredentialSource,
  credentialNonce,
  type OpenSessionOptions,
  openSession,
} from "./credential-source.ts";
export {
  type Enrolled,
  type EnrolOptions,
  enrolOverSession,
  type RenewalByKey,
  renewByKey,
} from "./enrol-session.ts";
export { DEFAULT_OBJECT_RULES } from "./established.ts";
export {
  type AuthenticatingPeer,
  LoginAuthentication,
  type LoginAuthenticationModules,
  type LoginAuthenticationOptions,
  type LoginDecision,
} from "./login-authentication.ts";
export {
  type AcceptOptions,
  type Admission,
  type ConnectOptions,
  DEFAULT_TIMINGS,
  type EnrolmentAuthority,
  type RevokedTokens,
  type RevokingCode,
  type SessionLimits,
  type SessionModules,
  type SessionOptions,
  type SessionTimings,
} from "./options.ts";
export { LOGINS_PER_SECOND, type LoginEntry, LoginPace } from "./pace.ts";
export { RequestError, Requests, type Resent } from "./requests.ts";
export {
  type HalfDoneStream,
  MAX_ACKNOWLEDGED,
  MAX_HELD_BLOBS,
  type ResumeBody,
  type ResumedBody,
  resume,
  resumed,
  type StreamResumedBody,
  streamResumed,
} from "./resume.ts";
export { type EncodedHello, ServerHellos } from "./server-hellos.ts";
export {
  type MessageRoute,
  on,
  type ReceivedMessage,
  type Refusal,
  type RouteTable,
  routeTable,
  type SendOptions,
  type Session,
  type SessionEnd,
  type SessionHandler,
} from "./session.ts";
export { type Due, SharedTimer } from "./shared-timer.ts";
export {
  isSuspensionObject,
  MAX_SUSPENSION_MS,
  type SealSuspensionModules,
  type SuspensionOrder,
  sealSuspension,
  takeSuspension,
} from "./suspension.ts";
export type { SessionScope } from "./welcome.ts";
