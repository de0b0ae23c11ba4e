import type { VerifiedObject } from "../envelope/index.ts";
import { JobError, PhotinusError, StorageError } from "../errors/index.ts";
import type { JobRecord } from "../job/index.ts";
import type { JobEnd, JobState } from "../message/index.ts";
import type { Clock } from "../platform/index.ts";

/** Stands for nobody in particular: what the server does by itself. */
export const SERVER = "server";

/** Longest sentence of an end. */
const MAX_DETAIL = 500;

/** All rounds are done. */
export const COMPLETED: JobEnd = {
  outcome: "completed",
  by: SERVER,
  code: "",
  detail: "all rounds are done",
};

/** Somebody ends a job. */
export interface JobStop {
  /** Name of the user; absent when the host of the server does it. */
  readonly by?: string;
  /** Why, in the words of the user; may be empty. */
  readonly reason?: string;
  /** What the user signed, where he did: the sites of the job are told. */
  readonly order?: VerifiedObject;
}

/** The end that a user, or the host of the server, brings about. */
export function abortedBy({ by = SERVER, reason = "" }: JobStop): JobEnd {
  const who = by === SERVER ? "the server's host" : by;
  return end("aborted", "ERR_JOB_ABORTED", { by, detail: reason === "" ? `${who} ended the job` : reason });
}

/** The end of a job that could not be given to enough sites. */
export function cannotSchedule(detail: string): JobEnd {
  return end("cannot-schedule", "ERR_JOB_TOO_FEW_SITES", { detail });
}

/** The end that a fault brings about, by what it is and how far the job was. */
export function endOfFault(fault: unknown, state: JobState): JobEnd {
  if (!(fault instanceof PhotinusError)) {
    return end("abnormal", "ERR_JOB_FAILED", { detail: "an unexpected fault; the server's log tells more" });
  }
  const { code, message: detail } = fault;
  if (fault instanceof StorageError) return end("abnormal", code, { detail });
  if (code === "ERR_WORKFLOW_CHANGED") return end("abandoned", code, { detail });
  if (state === "running") return end("execution-exception", code, { detail });
  const isLacking = fault instanceof JobError && code === "ERR_JOB_TOO_FEW_SITES";
  return isLacking ? cannotSchedule(detail) : end("failed-to-run", code, { detail });
}

/** What lists and sites are told in one word: the code, or "rounds done". */
export function reasonOf({ code }: JobEnd): string {
  return code === "" ? "rounds done" : code;
}

/** What the record of a job says of its end, by which it is kept no longer than it asks. */
export function endedRecord(
  state: JobState,
  end: JobEnd,
  { clock }: { readonly clock: Clock },
): Pick<JobRecord, "state" | "reason"> & Required<Pick<JobRecord, "end" | "endedAtMs">> {
  return { state, reason: reasonOf(end), end, endedAtMs: Math.trunc(clock.now()) };
}

/** At most so many UTF-16 units, not cut within a character. */
export function cutText(text: string, most: number): string {
  return text.slice(0, most).replace(/\p{Cs}$/u, "");
}

function end(
  outcome: JobEnd["outcome"],
  code: string,
  { by = SERVER, detail }: { readonly by?: string; readonly detail: string },
): JobEnd {
  return { outcome, by, code, detail: cutText(detail, MAX_DETAIL) };
}
