export { connect, Federation } from "./federation.ts";
export { JobHandle } from "./job-handle.ts";
export type {
  ConsoleModules,
  ConsoleOptions,
  FinishedRound,
  JobResult,
  SubmitOptions,
} from "./options.ts";
export { RequestError } from "./requests.ts";
