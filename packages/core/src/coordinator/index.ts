export { ADMINISTRATION_OBJECT_RULES, Administration } from "./administration/administration.ts";
export type {
  AdministrationModules,
  AdministrationOptions,
  EnrolmentDesk,
  IssuedCertificate,
  IssuedCertificates,
} from "./administration/options.ts";
export { orderReplayStore } from "./administration/order-replay.ts";
export { Coordinator } from "./coordinator.ts";
export type { JobUser } from "./job-rights.ts";
export type {
  ConnectedSite,
  CoordinatorModules,
  CoordinatorOptions,
  JobSummary,
  ObserveOptions,
} from "./options.ts";
export { TokenRevocations, type TokenRevocationsModules } from "./token-revocations.ts";
