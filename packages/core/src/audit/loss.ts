import type { AuditStore } from "../platform/index.ts";
import type { AuditLog } from "./log.ts";

/** Action of the record by which an operator says that records are lost for good. */
const LOSS_ACTION = "audit-loss";

/** Records that what was lost of this chain will not come back. @param reason for people */
export async function recordLoss(audit: AuditLog, reason: string): Promise<void> {
  await audit.record({ actor: "operator", action: LOSS_ACTION, outcome: "done", reason });
}

/** True when an operator has said since then that records are lost. */
export async function hasAcceptedLoss(store: Pick<AuditStore, "read">, sinceMs: number): Promise<boolean> {
  for await (const { event } of store.read()) {
    if (event.action === LOSS_ACTION && event.atMs >= sinceMs) return true;
  }
  return false;
}
