import type { AuditLog } from "../audit/index.ts";
import { WireError } from "../errors/index.ts";
import { Allowance, type Clock } from "../platform/index.ts";

/** Records that one session may cause at once: its requests, and what was decided about them. */
export const RECORDS_AT_ONCE = 256;
/** Further ones that it may cause in a second. */
const RECORDS_PER_SECOND = 1;

/**
 * The audit log as one session writes it: a session that asks without end fills no disk. What is not recorded has no
 * effect, so beyond the bound its requests are refused (`ERR_RATE_LIMITED`).
 */
export function boundedAudit(audit: AuditLog, clock: Pick<Clock, "now">): AuditLog {
  const allowance = new Allowance({ atOnce: RECORDS_AT_ONCE, perSecond: RECORDS_PER_SECOND });
  return {
    async record(note) {
      const retryAfterMs = allowance.take(clock.now());
      if (retryAfterMs > 0) {
        throw new WireError("ERR_RATE_LIMITED", "the session asks for too much", { retryAfterMs });
      }
      return await audit.record(note);
    },
  };
}
