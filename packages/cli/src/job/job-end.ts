import { describeError, isErrorCode } from "@photinus/core/errors";
import type { JobView } from "@photinus/core/message";
import { counted } from "../counted.ts";
import { ReportedFailure } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** Says how a job ended and, when it did not end well, what can be done. */
export function tellEnd({ jobId, state, reason, end, history }: JobView, terminal: Terminal): void {
  const rounds = history.filter(({ endedAtMs }) => endedAtMs !== undefined).length;
  terminal.line(`Job ${jobId} ${state}: ${reason}, ${counted(rounds, "round")}`);
  if (end !== undefined && end.code !== "") terminal.note(`  By ${end.by}: ${end.detail}`);
  if (isErrorCode(reason)) terminal.note(`  Remedy: ${describeError(reason).remedy}`);
}

/** @throws ReportedFailure with 1 for a job that failed or was aborted, which has been told */
export function requireFinished({ state }: Pick<JobView, "state">): void {
  if (state !== "finished") throw new ReportedFailure(1);
}
