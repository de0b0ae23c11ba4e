import type { AuditRecord, AuditStore } from "../platform/index.ts";
import type { AuditLog } from "./log.ts";
import { WITNESS_ACTION } from "./witness.ts";

/** Action of the record by which an operator says that records are lost for good. */
export const LOSS_ACTION = "audit-loss";

/** Records that what was lost of this chain will not come back. @param reason for people */
export async function recordLoss(audit: AuditLog, reason: string): Promise<void> {
  await audit.record({ actor: "operator", action: LOSS_ACTION, outcome: "done", reason });
}

/** Records that somebody's name was erased from the records beside the chain. @param erased how many values, and why */
export async function recordErasure(
  audit: AuditLog,
  { values, reason }: { readonly values: number; readonly reason: string },
): Promise<void> {
  await audit.record({ actor: "operator", action: "erasure", outcome: "done", reason, details: { values } });
}

/** True when an operator has said since then that records are lost. */
export async function hasAcceptedLoss(store: Pick<AuditStore, "read">, sinceMs: number): Promise<boolean> {
  for await (const { event } of store.read()) {
    if (event.action === LOSS_ACTION && event.atMs >= sinceMs) return true;
  }
  return false;
}

/**
 * The record that this chain was shown to lack, as an earlier process noted it; `undefined` when there was none, or an
 * operator has accepted the loss since. The chain itself remembers it: whoever restores the newest state has another one.
 * @param name of the participant whose chain it is
 */
export async function notedLoss(
  store: Pick<AuditStore, "read">,
  name: string,
): Promise<AuditRecord["event"]["details"] | undefined> {
  let noted: AuditRecord["event"]["details"] | undefined;
  for await (const { event } of store.read()) {
    const { action, object, outcome, reason, details } = event;
    if (action === LOSS_ACTION) noted = undefined;
    const isBehind = outcome === "refused" && reason === "ERR_AUDIT_BEHIND";
    if (action === WITNESS_ACTION && object === name && isBehind) noted = details;
  }
  return noted;
}
