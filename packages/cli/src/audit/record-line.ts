import type { ReportedEvent } from "@photinus/core/audit";

/** A record for people: its number, when, how it ended, what, about what, why, who. */
export function lineOfRecord({
  sequence,
  atMs,
  outcome,
  action,
  object,
  reason,
  actor,
}: ReportedEvent): string {
  const parts = [new Date(atMs).toISOString(), outcome, action, object, reason, actor];
  return `${sequence}  ${parts.filter((part) => part !== "").join("  ")}`;
}
