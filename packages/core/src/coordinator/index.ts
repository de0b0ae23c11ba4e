export type {
  ConnectedSite,
  CoordinatorModules,
  CoordinatorOptions,
  JobSummary,
  ObserveOptions,
} from "./options.ts";
