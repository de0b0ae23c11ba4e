import { existsSync } from "node:fs";
import { join } from "node:path";
import { auditLog, recordErasure } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import { AUDIT_FILE, eraseNames } from "@photinus/node-client";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";
import { appendToSite, whileLocked } from "../audit/site-audit.ts";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";

/** Options of `photinus audit erase`. */
export interface AuditEraseOptions {
  /** State folder of a server or site that does not run. */
  readonly state: string;
  /** Whose name is erased. */
  readonly name: string;
  /** Why: stands in the chain for ever. */
  readonly reason: string;
}

/**
 * Erases a name from the records of a server or site, and records that and why. The chain stays as it is, and verifies.
 * @throws HostError `ERR_CONFIG_INVALID` when the reason names who is to be forgotten, or there are no records; StorageError
 */
export async function eraseName(options: AuditEraseOptions, { terminal }: CommandContext): Promise<void> {
  const { state, name, reason } = options;
  if (reason.includes(name))
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "the reason stands in the records for ever: leave the name out",
    );
  const path = join(state, AUDIT_FILE);
  const isServer = !existsSync(path) && existsSync(join(state, "photinus.db"));
  if (!isServer && !existsSync(path))
    throw new HostError("ERR_CONFIG_INVALID", `${state} is not the state folder of a server or site`);
  const values = isServer ? await eraseAtServer(options) : await eraseAtSite(path, options);
  terminal.line(`${counted(values, "value")} erased. Exports that hold the name are not reached by this.`);
  terminal.result({ erased: values });
}

async function eraseAtServer({ state, name, reason }: AuditEraseOptions): Promise<number> {
  const storage = await openStorage({ folder: state }, { crypto: nodeCrypto() });
  try {
    const values = await storage.audit.erase(name);
    await recordErasure(auditLog(storage.audit, systemClock()), { values, reason });
    return values;
  } finally {
    await storage.close();
  }
}

async function eraseAtSite(path: string, { state, name, reason }: AuditEraseOptions): Promise<number> {
  return await whileLocked(state, async () => {
    const values = await eraseNames(path, name);
    await appendToSite(state, (audit) => recordErasure(audit, { values, reason }));
    return values;
  });
}
