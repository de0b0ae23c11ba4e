import type { JobState } from "../message/index.ts";

/** What moves a job on. */
export type JobEvent = "start" | "finish" | "fail" | "abort";

const NEXT: Readonly<Record<JobState, Partial<Record<JobEvent, JobState>>>> = {
  waiting: { start: "running", fail: "failed", abort: "aborted" },
  running: { finish: "finished", fail: "failed", abort: "aborted" },
  finished: {},
  failed: {},
  aborted: {},
};

/** The state after `event`; `undefined` when the event does not apply in this state. */
export function nextJobState(state: JobState, event: JobEvent): JobState | undefined {
  return NEXT[state][event];
}

/** True when nothing follows. */
export function hasJobEnded(state: JobState): state is "finished" | "failed" | "aborted" {
  return state === "finished" || state === "failed" || state === "aborted";
}
