import type { Dispatch, TaskOrder, TaskOutcome } from "../workflow/index.ts";
import type { JobBoard } from "./job-board.ts";
import type { JobContext } from "./job-context.ts";

/** Shows how a site ended its task. */
export function showOutcome(board: JobBoard, { kind, round }: TaskOrder, outcome: TaskOutcome): void {
  const { site, cause } = outcome;
  const accepted = (board.site(site)?.accepted ?? 0) + (kind === "train" ? 1 : 0);
  switch (outcome.outcome) {
    case "accepted":
      // Nothing is kept of an evaluation, so there is nothing to commit.
      board.updateSite(site, {
        phase: kind === "train" ? "received" : "idle",
        progress: 0,
        cause: "",
        accepted,
      });
      break;
    case "refused":
    case "late":
      board.updateSite(site, { phase: outcome.outcome, progress: 0, cause });
      break;
    case "missing":
      if (cause === "ERR_SITE_DISCONNECTED") board.updateSite(site, { progress: 0, cause });
      else board.updateSite(site, { phase: "missing", progress: 0, cause });
  }
  if (kind !== "train") return;
  const { digest: _digest, evaluation: _evaluation, ...view } = outcome;
  board.addContribution(round, view);
}

/** Records that a task is about to go out. */
export async function auditDispatch({ modules, jobId }: JobContext, dispatch: Dispatch): Promise<void> {
  const { kind, round, model } = dispatch.order;
  await modules.audit.record({
    action: "task",
    object: dispatch.taskId,
    outcome: "done",
    correlation: jobId,
    details: { kind, round, version: model.version, sites: dispatch.sites.length },
  });
}

/** Records how an asked site ended, once and with its one cause. */
export async function auditOutcome({ modules, jobId }: JobContext, outcome: TaskOutcome): Promise<void> {
  const { site, cause, exampleCount, digest } = outcome;
  await modules.audit.record({
    action: "result",
    object: site,
    outcome: outcome.outcome === "accepted" ? "accepted" : "refused",
    reason: cause,
    correlation: jobId,
    details: { exampleCount, digest },
  });
}

/** Records that a round's model is durable. */
export async function auditRound(
  { modules, jobId }: JobContext,
  round: number,
  outcomes: readonly TaskOutcome[],
): Promise<void> {
  const accepted = outcomes.filter(({ outcome }) => outcome === "accepted").length;
  await modules.audit.record({
    action: "round",
    object: `${round}`,
    outcome: "done",
    correlation: jobId,
    details: { accepted, asked: outcomes.length },
  });
}
