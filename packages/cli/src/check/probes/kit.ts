import { stat } from "node:fs/promises";
import { join } from "node:path";
import { verifyKit } from "@photinus/core/provision";
import { failedBy, ok, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

const DAY_MS = 86_400_000;
/** An administrator is reminded while there is time to issue another, in days. */
const REMIND_DAYS = 30;

/** Is every file as the project signed it, and for how long? */
export const kitFiles: Probe = {
  name: "kit",
  async run({ files, clock, crypto }) {
    try {
      const nowMs = clock.now();
      const { manifest } = await verifyKit(files, { nowMs }, { crypto });
      const days = Math.floor((manifest.notAfterMs - nowMs) / DAY_MS);
      const seen = `${manifest.role} ${manifest.participant} of ${manifest.project}, valid for ${days} days`;
      return days >= REMIND_DAYS
        ? ok(seen)
        : warning(seen, "Ask the project's administrator for a new kit before it ends.");
    } catch (error) {
      return failedBy(error, "ERR_KIT_UNREADABLE");
    }
  },
};

/** Bits of a mode that let others than the owner in. */
const OTHERS = 0o077;

/** May nobody but its owner read it? */
export const kitPermissions: Probe = {
  name: "kit permissions",
  async run({ folder, files }) {
    const open: string[] = [];
    for (const path of ["", ...files.keys()]) {
      const { mode } = await stat(join(folder, path));
      if ((mode & OTHERS) !== 0) open.push(path === "" ? "the folder" : path);
    }
    if (open.length === 0) return ok("for their owner only");
    const named = open.slice(0, 3).join(", ") + (open.length > 3 ? `, and ${open.length - 3} more` : "");
    return warning(
      `other users of this machine may read ${named}`,
      `Run chmod -R go= ${folder}: the keys are encrypted, and are not for others all the same.`,
    );
  },
};
