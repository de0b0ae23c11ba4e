import { join } from "node:path";
import { decodePem, RevocationLists } from "@photinus/core/pki";
import { KIT_FILE, LOCAL_REVOCATION_LIST } from "@photinus/core/provision";
import { readSmallFile } from "@photinus/node-platform";
import { type Finding, failed, failedBy, ok, skipped, warning } from "../finding.ts";
import type { Probe, Subject } from "../subject.ts";

const MAX_LIST_BYTES = 65_536;
const DAY_MS = 86_400_000;
/** As the server reminds. */
const REMIND_DAYS = 14;
const REMEDY =
  "Issue the next list with photinus revoke, and put it where the server looks: local/root.crl of its kit.";

/** Servers: is the newest list of the root in order? Everybody else hears from the server. */
export const revocation: Probe = {
  name: "revocation list",
  async run(subject) {
    if (subject.kit?.configuration.role !== "server") return skipped("the server tells at login");
    const lists = new RevocationLists(
      { project: subject.kit.configuration.project, root: subject.kit.root.der },
      subject,
    );
    try {
      for (const list of await listsOf(subject)) await lists.take({ list }).catch(ignoreOlder);
    } catch (error) {
      return failedBy(error, "ERR_CRL_MISSING");
    }
    return judge(lists, subject.clock.now());
  },
};

async function listsOf({ folder, files }: Subject): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const inKit = files.get(KIT_FILE.revocationList);
  const local = await readSmallFile(join(folder, LOCAL_REVOCATION_LIST), MAX_LIST_BYTES).catch(
    () => undefined,
  );
  return [inKit, local].flatMap((pem) => (pem === undefined ? [] : decodePem("X509 CRL", pem)));
}

function ignoreOlder(error: unknown): void {
  if (error instanceof Error && "code" in error && error.code === "ERR_CRL_ROLLBACK") return;
  throw error;
}

function judge({ ofRoot }: RevocationLists, nowMs: number): Finding {
  if (ofRoot === undefined) return failed("ERR_CRL_MISSING", "neither the kit nor local/ holds one", REMEDY);
  const days = Math.floor((ofRoot.nextUpdateMs - nowMs) / DAY_MS);
  const seen = `number ${ofRoot.number}, ${ofRoot.entries.size} revoked, to be followed in ${days} days`;
  if (days < 0) return failed("ERR_CRL_STALE", seen, REMEDY);
  return days < REMIND_DAYS ? warning(seen, REMEDY) : ok(seen);
}
