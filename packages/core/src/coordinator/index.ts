export { Coordinator } from "./coordinator.ts";
export type {
  ConnectedSite,
  CoordinatorModules,
  CoordinatorOptions,
  JobSummary,
  ObserveOptions,
} from "./options.ts";
export { TokenRevocations, type TokenRevocationsModules } from "./token-revocations.ts";
