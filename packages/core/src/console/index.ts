export { RequestError } from "../session/index.ts";
export { Administration, type AdministrationModules, type MadeInvite } from "./administration.ts";
export { connect, Federation, type FederationParts } from "./federation.ts";
export { JobHandle, type JobHandleModules } from "./job-handle.ts";
export type {
  AbortOptions,
  CloneOptions,
  ConnectOptions,
  ConsoleKit,
  ConsoleTransport,
  FinishedRound,
  JobResult,
  JobsOptions,
  SubmitOptions,
} from "./options.ts";
