import { readFile } from "node:fs/promises";
import { type Finding, ok, skipped, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Sockets before authentication, sessions and files of a server at its own limits (docs/LIMITS.md). */
const COMFORTABLE_FILES = 8_192;

/** Servers: how many sockets and files may be open? */
export const fileLimits: Probe = {
  name: "open files",
  async run() {
    const text = await readFile("/proc/self/limits", "utf8").catch(() => undefined);
    return text === undefined ? skipped("this system does not tell") : judgeFileLimits(text);
  },
};

/** What /proc/self/limits means for a server. */
export function judgeFileLimits(text: string): Finding {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return skipped("this system does not tell");
  const seen = `at most ${soft}`;
  if (soft === "unlimited" || Number(soft) >= COMFORTABLE_FILES) return ok(seen);
  return warning(seen, `Raise it to ${COMFORTABLE_FILES} or more: LimitNOFILE= of systemd, or ulimit -n.`);
}
