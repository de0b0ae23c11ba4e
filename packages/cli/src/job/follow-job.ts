import type { JobHandle } from "@photinus/core/console";
import { JobError } from "@photinus/core/errors";
import type { JobView } from "@photinus/core/message";
import { systemClock } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { requireFinished, tellEnd } from "./job-end.ts";
import { progressLine } from "./progress-line.ts";
import { roundLine } from "./round-lines.ts";
import { watchRounds } from "./watch-rounds.ts";

/**
 * Tells each round of a job until it ends: a line a round, with `--json` an object a line.
 * @throws ReportedFailure when it did not end well; RequestError; the signal's reason, and then the job goes on
 */
export async function followJob(
  job: JobHandle,
  { terminal, signal }: Pick<CommandContext, "terminal" | "signal">,
): Promise<void> {
  try {
    const watched = await watchRounds(job, {
      ...{ clock: systemClock(), signal },
      tell(view, round) {
        terminal.line(roundLine(view, round));
        terminal.event({ event: "round", jobId: job.jobId, ...round });
      },
      show: (view) => terminal.status(progressLine(view)),
    });
    terminal.status(undefined);
    if (signal.aborted) terminal.note(`Job ${job.jobId} goes on without you.`);
    signal.throwIfAborted();
    const view = seen(watched?.job);
    tellEnd(view, terminal);
    terminal.event({ event: "ended", ...endOf(view) });
    requireFinished(view);
  } finally {
    terminal.status(undefined);
  }
}

/** Waits for the end of a job and says nothing before. @throws as {@link followJob} */
export async function awaitJob(
  job: JobHandle,
  { terminal, signal }: Pick<CommandContext, "terminal" | "signal">,
): Promise<void> {
  const last = await job.ended(signal);
  signal.throwIfAborted();
  const view = seen(last);
  tellEnd(view, terminal);
  terminal.result(endOf(view));
  requireFinished(view);
}

function seen(view: JobView | undefined): JobView {
  if (view === undefined) throw new JobError("ERR_JOB_FAILED", "the server told nothing of the job");
  return view;
}

/** What programs are told of the end. */
function endOf({ jobId, name, state, reason, end, history, startedAtMs, endedAtMs }: JobView): object {
  const rounds = history.filter((round) => round.endedAtMs !== undefined);
  return {
    jobId,
    name,
    state,
    reason,
    end,
    rounds: rounds.length,
    metrics: rounds.at(-1)?.evaluation,
    startedAtMs,
    endedAtMs,
  };
}
