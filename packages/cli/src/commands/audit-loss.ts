import { existsSync } from "node:fs";
import { join } from "node:path";
import { recordLoss } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import { AUDIT_FILE } from "@photinus/node-client";
import { appendToSite, whileLocked } from "../audit/site-audit.ts";
import type { CommandContext } from "../context.ts";

/** Options of `photinus audit accept-loss`. */
export interface AuditLossOptions {
  /** State folder of a site that does not run. */
  readonly state: string;
  /** Why the records are lost: stands in the chain for ever. */
  readonly reason: string;
}

/** Records that what a site has lost of its records will not come back, so that it takes jobs again. */
export async function acceptLoss(
  { state, reason }: AuditLossOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const path = join(state, AUDIT_FILE);
  // Opening would make a folder that is missing, and the site of another one would go on refusing.
  if (!existsSync(state)) throw new HostError("ERR_CONFIG_INVALID", `${state} is no folder`);
  if (!existsSync(path) && existsSync(join(state, "photinus.db"))) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `${state} is the state folder of a server: it needs no such record`,
    );
  }
  await whileLocked(state, () => appendToSite(state, (audit) => recordLoss(audit, reason)));
  terminal.line("Recorded. The site takes jobs again, and whoever witnesses its records sees the gap.");
  terminal.result({ recorded: true });
}
