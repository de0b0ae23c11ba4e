import type { JobDefinition } from "../job/index.ts";
import type { TaskOrder, TaskOutcome } from "../workflow/index.ts";

/** Whether these outcomes make a version. */
export function isEnough(
  { kind, minimumContributions }: TaskOrder,
  outcomes: readonly TaskOutcome[],
  { workflow, deployment }: JobDefinition,
): boolean {
  const accepted = new Set(outcomes.flatMap(({ site, outcome }) => (outcome === "accepted" ? [site] : [])));
  if (kind !== "train") return false;
  if (minimumContributions !== undefined) return accepted.size >= minimumContributions;
  const hasMandatory = (deployment?.mandatorySites ?? []).every((name) => accepted.has(name));
  return accepted.size >= workflow.minimumSites && hasMandatory;
}
