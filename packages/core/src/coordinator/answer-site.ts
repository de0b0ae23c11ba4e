import { PhotinusError } from "../errors/index.ts";
import { contributionRefused } from "../message/index.ts";
import type { ContributionProblem } from "./check-contribution.ts";
import type { LiveSite } from "./live-site.ts";

/** Tells a site that its answer does not count; a session that is gone is no fault here. */
export async function refuse(
  site: LiveSite,
  { jobId, taskId }: { readonly jobId: string; readonly taskId: string },
  { code, detail }: ContributionProblem,
): Promise<void> {
  const body = { jobId, taskId, code, detail: detail.slice(0, 500) };
  await ignoreLostSession(site.session.send(contributionRefused, body, { scope: jobId }));
}

/** Settles when a message has left, or its session had ended: who is gone is told when it comes back. */
export async function ignoreLostSession(sending: Promise<unknown>): Promise<void> {
  try {
    await sending;
  } catch (error) {
    if (!(error instanceof PhotinusError)) throw error;
  }
}
