export {
  type AuthorizationRequest,
  type Authorizer,
  type PolicySource,
  policyAuthorizer,
  type UnusablePolicy,
} from "./authorizer.ts";
export { fold, type PolicyQuestion } from "./condition.ts";
export { type Actor, decideJob, type JobFacts, type JobRight, type JobRightRequest } from "./decide.ts";
export { type AdministrationOrder, decideOrder } from "./decide-order.ts";
export { DEFAULT_POLICY_DOCUMENT, defaultPolicy } from "./default-policy.ts";
export {
  type LocatePolicy,
  MAX_POLICY_CONDITIONS,
  MAX_POLICY_ENTRIES,
  MAX_POLICY_TEXT,
  POLICY_VERSION,
  parsePolicy,
} from "./parse-policy.ts";
export {
  decisionDetails,
  evaluatePolicy,
  type Policy,
  type PolicyDecision,
  type PolicyPath,
} from "./policy.ts";
export { categoryOf, RIGHT_CATEGORIES } from "./rights.ts";
