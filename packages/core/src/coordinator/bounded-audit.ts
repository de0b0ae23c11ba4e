import type { AuditLog } from "../audit/index.ts";
import { WireError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";

/** Records that one session may cause at once: its requests, and what was decided about them. */
export const RECORDS_AT_ONCE = 256;
/** Further ones that it may cause in a second. */
const RECORDS_PER_SECOND = 1;

/**
 * The audit log as one session writes it: a session that asks without end fills no disk. What is not recorded has no
 * effect, so beyond the bound its requests are refused (`ERR_RATE_LIMITED`).
 */
export function boundedAudit(audit: AuditLog, clock: Pick<Clock, "now">): AuditLog {
  let left = RECORDS_AT_ONCE;
  let filledMs = clock.now();
  return {
    async record(note) {
      const nowMs = clock.now();
      left = Math.min(RECORDS_AT_ONCE, left + ((nowMs - filledMs) / 1000) * RECORDS_PER_SECOND);
      filledMs = nowMs;
      if (left < 1) {
        const retryAfterMs = Math.ceil((1000 * (1 - left)) / RECORDS_PER_SECOND);
        throw new WireError("ERR_RATE_LIMITED", "the session asks for too much", { retryAfterMs });
      }
      left -= 1;
      return await audit.record(note);
    },
  };
}
