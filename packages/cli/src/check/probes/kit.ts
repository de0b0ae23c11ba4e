import { stat } from "node:fs/promises";
import { join } from "node:path";
import { PhotinusError } from "@photinus/core/errors";
import { verifyChain } from "@photinus/core/pki";
import { isEnrolledKit, readEnrolledKit, verifyKit } from "@photinus/core/provision";
import { type Finding, failed, failedBy, ok, warning } from "../finding.ts";
import type { Probe, Subject } from "../subject.ts";

const DAY_MS = 86_400_000;
/** An administrator is reminded while there is time to issue another, in days. */
const REMIND_DAYS = 30;

/** Is every file as the project signed it, and for how long? */
export const kitFiles: Probe = {
  name: "kit",
  async run(subject) {
    const { files, clock, crypto } = subject;
    if (isEnrolledKit(files)) return await enrolled(subject);
    try {
      const nowMs = clock.now();
      const { manifest, ownKeys } = await verifyKit(files, { nowMs, admitsOwnKeys: true }, { crypto });
      if (ownKeys.length > 0 && subject.opened === undefined) return unproved(ownKeys);
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

/** Keys that the owner made are signed by nobody: opening them shows whose they are. */
function unproved(ownKeys: readonly string[]): Finding {
  return warning(
    `the project did not sign ${ownKeys.join(", ")}`,
    "Where the owner of the kit made the key, name its secret by --passphrase-file: that proves it. Else remove the file.",
  );
}

/** Nobody signed the folder of a site that enrolled: what counts is its certificate, of seven days. */
async function enrolled({ folder, files, clock, crypto }: Subject): Promise<Finding> {
  try {
    const { configuration, root, chain } = await readEnrolledKit(files, { crypto });
    const { project } = configuration;
    const expected = { root: root.der, project, usage: "client", nowMs: clock.now() } as const;
    const { participant, notAfterMs } = await verifyChain(chain, expected, { crypto });
    const until = new Date(notAfterMs).toISOString().slice(0, 10);
    return ok(
      `site ${participant.name} of ${project}, enrolled until ${until}; it renews that while it runs`,
    );
  } catch (error) {
    const hasExpired = error instanceof PhotinusError && error.code === "ERR_CERTIFICATE_EXPIRED";
    if (!hasExpired) return failedBy(error, "ERR_KIT_UNREADABLE");
    return failed(
      "ERR_CERTIFICATE_EXPIRED",
      error.message,
      `Within 30 days of its end run photinus cert renew --kit ${folder}; later ask to join again.`,
    );
  }
}

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
