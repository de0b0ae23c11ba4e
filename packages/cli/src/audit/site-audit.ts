import { join } from "node:path";
import { type AuditLog, auditLog } from "@photinus/core/audit";
import { AUDIT_FILE, openAuditFile } from "@photinus/node-client";
import { lockFolder, nodeCrypto, systemClock } from "@photinus/node-platform";

/** Works on the state folder of a site while no site does. @throws StorageError `ERR_STORAGE_UNAVAILABLE` when one does */
export async function whileLocked<T>(state: string, work: () => Promise<T>): Promise<T> {
  const lock = await lockFolder(state);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Appends to the records in a folder that is locked. @throws AuditBrokenError, StorageError */
export async function appendToSite<T>(state: string, append: (audit: AuditLog) => Promise<T>): Promise<T> {
  const file = await openAuditFile(join(state, AUDIT_FILE), { crypto: nodeCrypto() });
  try {
    return await append(auditLog(file, systemClock()));
  } finally {
    await file.close();
  }
}
