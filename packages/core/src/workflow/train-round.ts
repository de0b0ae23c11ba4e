import { JobError } from "../errors/index.ts";
import type { Collected, Dispatch, TaskOrder, WorkflowContext } from "./workflow.ts";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * One round: gives the order to every ready site, or to whom `ask` gives it, and collects. A round with fewer accepted contributions than the
 * job's minimum is repeated after a pause, for as long as the job waits for sites.
 *
 * @throws JobError `ERR_JOB_TOO_FEW_SITES`
 */
export async function trainRound(
  context: WorkflowContext,
  order: TaskOrder,
  ask: (order: TaskOrder) => Promise<Dispatch> = (given) => context.broadcast(given),
): Promise<{ readonly dispatch: Dispatch; readonly collected: Collected }> {
  const { waitForSitesMs } = context.definition.workflow;
  let pauseMs = FIRST_PAUSE_MS;
  let firstStartMs: number | undefined;
  for (;;) {
    const dispatch = await ask(order);
    const collected = await context.aggregate(dispatch);
    if (collected.model !== undefined) return { dispatch, collected };
    firstStartMs ??= dispatch.startedAtMs;
    if (collected.endedAtMs - firstStartMs >= waitForSitesMs) {
      throw new JobError("ERR_JOB_TOO_FEW_SITES", `round ${order.round}: ${lackOf(collected, context)}`);
    }
    await context.sleep(pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

function lackOf({ outcomes }: Collected, { definition }: Pick<WorkflowContext, "definition">): string {
  const { workflow, deployment } = definition;
  const accepted = outcomes.filter(({ outcome }) => outcome === "accepted").map(({ site }) => site);
  const absent = deployment?.mandatorySites?.find((name) => !accepted.includes(name));
  if (absent !== undefined) return `no contribution of the mandatory site ${absent}`;
  return `${accepted.length} of ${workflow.minimumSites} contributions`;
}
