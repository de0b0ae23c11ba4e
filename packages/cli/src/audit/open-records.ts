import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AuditHead, type VerifyChainOptions, verifyChain } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import type { AuditStore } from "@photinus/core/platform";
import { AUDIT_FILE, readNamedRecords } from "@photinus/node-client";
import { nodeCrypto } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";

/** Where audit records are: exactly one of the two. */
export interface AuditPlace {
  /** State folder of a server, which must not run, or of a site. */
  readonly state?: string;
  /** An export. */
  readonly file?: string;
}

/** Records of a server, of a site, or of an export. */
export interface AuditRecords extends Pick<AuditStore, "read">, Partial<Pick<AuditStore, "head">> {
  /** Where they begin, when segments before lie elsewhere. */
  readonly begin?: () => Promise<AuditHead | undefined>;
}

/** Recomputes the chain of records. @returns its head @throws AuditBrokenError `ERR_AUDIT_BROKEN` */
export async function verifyRecords(
  audit: AuditRecords,
  options: Pick<VerifyChainOptions, "witnesses"> = {},
): Promise<AuditHead> {
  const from = await audit.begin?.();
  return await verifyChain(nodeCrypto(), audit.read(), {
    ...options,
    ...(from === undefined ? {} : { from }),
  });
}

/** Opens the records while `use` reads them. @throws HostError `ERR_CONFIG_INVALID` when there are none */
export async function withRecords<T>(
  { state, file }: AuditPlace,
  use: (audit: AuditRecords) => Promise<T>,
): Promise<T> {
  if ((state === undefined) === (file === undefined)) {
    throw new HostError("ERR_CONFIG_INVALID", "give either --state or --file");
  }
  if (file !== undefined) return await use({ read: () => readNamedRecords(file) });
  return await withState(state ?? "", use);
}

async function withState<T>(state: string, use: (audit: AuditRecords) => Promise<T>): Promise<T> {
  const file = join(state, AUDIT_FILE);
  if (existsSync(file)) return await use({ read: () => readNamedRecords(file) });
  // Opening would make a folder that is missing, and an empty chain always verifies.
  if (!existsSync(join(state, "photinus.db"))) {
    throw new HostError("ERR_CONFIG_INVALID", `${state} is not the state folder of a server or site`);
  }
  const storage = await openStorage({ folder: state }, { crypto: nodeCrypto() });
  try {
    return await use(storage.audit);
  } finally {
    await storage.close();
  }
}
