import { type Finding, failed, ok, skipped, warning } from "../finding.ts";
import type { WayProbe } from "../way.ts";

const WARNED_MS = 60_000;
/** Protocol, section 6: beyond this the session ends. */
const REFUSED_MS = 300_000;
const REMEDY = "Set the clock of this machine, and keep it set: timedatectl set-ntp true.";

/** How far are the clocks apart? The server's word in the session counts, else what HTTP says. */
export const clock: WayProbe = {
  name: "clock",
  isAlways: true,
  run: async ({ facts }) => {
    const offsetMs = facts.session?.clockOffsetMs ?? facts.dateOffsetMs;
    if (offsetMs === undefined) return skipped("the server was not reached");
    return judgeClock(offsetMs, facts.session === undefined ? "by HTTP" : "by the server's word");
  },
};

/** What a difference of clocks means, server minus local. */
export function judgeClock(offsetMs: number, source: string): Finding {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const seen = `${seconds} s ${offsetMs > 0 ? "behind" : "ahead of"} the server, ${source}`;
  if (Math.abs(offsetMs) > REFUSED_MS) return failed("ERR_CLOCK_SKEW", seen, REMEDY);
  return Math.abs(offsetMs) > WARNED_MS ? warning(seen, REMEDY) : ok(seen);
}
