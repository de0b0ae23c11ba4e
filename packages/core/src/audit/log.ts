import type { AuditEvent, AuditRecord, AuditStore, Clock } from "../platform/index.ts";

/** What a caller of {@link AuditLog.record} says; the rest has defaults. */
export interface AuditNote {
  /** Who: certificate digest in hex and name. Default "system". */
  readonly actor?: string;
  /** What was done: "login", "task", "result", "round", ... */
  readonly action: string;
  /** To what: job id, task id, site. Default empty. */
  readonly object?: string;
  /** How it ended. */
  readonly outcome: AuditEvent["outcome"];
  /** Error code or short cause. Default empty. */
  readonly reason?: string;
  /** Job id or session id that ties records together. Default empty. */
  readonly correlation?: string;
  /** Numbers and short strings that belong to the action. Default none. */
  readonly details?: AuditEvent["details"];
}

/** Writes audit records with the time of a clock. */
export interface AuditLog {
  /**
   * Stamps and appends one event durably.
   * @throws StorageError when it could not be stored; the action it tells of must then not take effect
   */
  record(note: AuditNote): Promise<AuditRecord>;
}

/** An {@link AuditLog} that shows its chain too. */
export interface AuditChain extends AuditLog {
  /** Where the records are. */
  readonly store: Pick<AuditStore, "read" | "head">;
}

/** An {@link AuditChain} over a store. */
export function auditLog(store: AuditStore, clock: Clock): AuditChain {
  return {
    store,
    record: (note) =>
      store.append({
        actor: "system",
        object: "",
        reason: "",
        correlation: "",
        details: {},
        ...note,
        atMs: Math.trunc(clock.now()),
      }),
  };
}
