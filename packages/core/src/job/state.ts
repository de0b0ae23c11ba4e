import type { JobOutcome, JobState } from "../message/index.ts";

/** What moves a job on: it is given to its sites, its first task goes out, or it ends. */
export type JobEvent = "dispatch" | "start" | JobOutcome;

type Ends = Partial<Record<JobEvent, JobState>>;

/** Whatever the state, a user may end the job, and what is stored of it may turn out not to open. */
const ALWAYS: Ends = { aborted: "aborted", "failed-to-run": "failed", abnormal: "failed" };

/** Once it has begun, a restart may find that it cannot go on. */
const BEGUN: Ends = { ...ALWAYS, "execution-exception": "failed", abandoned: "failed" };

const NEXT: Readonly<Record<JobState, Ends>> = {
  waiting: { ...ALWAYS, dispatch: "dispatched", "cannot-schedule": "failed" },
  dispatched: { ...BEGUN, start: "running", "cannot-schedule": "failed" },
  running: { ...BEGUN, completed: "finished" },
  finished: {},
  failed: {},
  aborted: {},
};

/** The state after `event`; `undefined` when the event does not apply in this state. */
export function nextJobState(state: JobState, event: JobEvent): JobState | undefined {
  return NEXT[state][event];
}
