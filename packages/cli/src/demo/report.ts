import { JobError } from "@photinus/core/errors";
import type { JobView } from "@photinus/core/message";
import { counted } from "../counted.ts";
import type { WatchedJob } from "../job/watch-rounds.ts";

/** State of the audit records after a run. */
export interface AuditReport {
  readonly records: number;
  readonly verified: boolean;
}

/** What `photinus demo --json` prints. */
export interface DemoReport {
  /** Rounds that were committed. */
  readonly rounds: number;
  /** Sites that contributed at least once. */
  readonly sites: number;
  /** Of the final model on held-out examples, in [0, 1]. */
  readonly accuracy: number;
  /** Mean loss of the final model per held-out example. */
  readonly loss: number;
  /** From the start of the program to the end of the job. */
  readonly seconds: number;
  /** From the start of the program to the commit of the first round. */
  readonly secondsToFirstRound: number;
  /** Bytes of updates, all sites together, as they were on the wire. */
  readonly bytesUp: number;
  /** Bytes of model versions, all sites together, as they were on the wire. */
  readonly bytesDown: number;
  readonly audit: AuditReport;
}

function total(job: JobView, field: "bytesUp" | "bytesDown"): number {
  return job.sites.reduce((sum, site) => sum + site[field], 0);
}

/**
 * The report of a job that has ended.
 * @param startedAtMs when the program was started
 * @throws JobError `ERR_JOB_FAILED` when the job did not finish, or its model was not evaluated
 */
export function reportOf(
  { job, firstRoundAtMs }: WatchedJob,
  audit: AuditReport,
  { startedAtMs, endedAtMs }: { readonly startedAtMs: number; readonly endedAtMs: number },
): DemoReport {
  const committed = job.history.filter(({ endedAtMs: ended }) => ended !== undefined);
  const evaluation = committed.at(-1)?.evaluation;
  if (job.state !== "finished" || evaluation === undefined || firstRoundAtMs === undefined) {
    throw new JobError("ERR_JOB_FAILED", `the demo's job is ${job.state}: ${job.reason || "no evaluation"}`);
  }
  return {
    rounds: committed.length,
    sites: job.sites.filter(({ accepted }) => accepted > 0).length,
    accuracy: evaluation.accuracy,
    loss: evaluation.loss,
    seconds: (endedAtMs - startedAtMs) / 1_000,
    secondsToFirstRound: (firstRoundAtMs - startedAtMs) / 1_000,
    bytesUp: total(job, "bytesUp"),
    bytesDown: total(job, "bytesDown"),
    audit,
  };
}

/** The closing line for people. */
export function closingLine({ accuracy, rounds, audit }: DemoReport): string {
  const chain = audit.verified ? "chain verified" : "CHAIN BROKEN";
  return `Done: accuracy ${accuracy.toFixed(2)} after ${counted(rounds, "round")}. Audit: ${counted(audit.records, "record")}, ${chain}.`;
}
