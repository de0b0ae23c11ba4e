import { existsSync } from "node:fs";
import { join } from "node:path";
import { AuditBrokenError, auditRecordToJson, verifyChain } from "@photinus/core/audit";
import { toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import type { AuditRecord, AuditStore } from "@photinus/core/platform";
import { AUDIT_FILE, readAuditFile } from "@photinus/node-client";
import { nodeCrypto } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";

/** Options of `photinus audit verify`. */
export interface AuditOptions {
  /** State folder of the server. */
  readonly state: string;
}

/** Options of `photinus audit tail`. */
export interface AuditTailOptions extends AuditOptions {
  /** Records to print. */
  readonly lines: number;
}

/** Records of a server, or of a site. */
type Records = Pick<AuditStore, "read"> & Partial<Pick<AuditStore, "head">>;

async function withAudit<T>({ state }: AuditOptions, use: (audit: Records) => Promise<T>): Promise<T> {
  const file = join(state, AUDIT_FILE);
  if (existsSync(file)) return await use({ read: () => readAuditFile(file) });
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

/**
 * Recomputes the chain of a server's or site's records.
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first broken record
 */
export async function verifyAudit(options: AuditOptions, { terminal }: CommandContext): Promise<void> {
  try {
    const head = await withAudit(options, (audit) => verifyChain(nodeCrypto(), audit.read()));
    terminal.line(`${counted(head.count, "record")}, chain verified. Head ${toHex(head.hash)}`);
    terminal.result({ records: head.count, verified: true, head: toHex(head.hash) });
  } catch (error) {
    if (error instanceof AuditBrokenError) terminal.note(`First broken record: ${error.sequence}`);
    throw error;
  }
}

function lineOf({ sequence, event }: AuditRecord): string {
  const { atMs, actor, action, object, outcome, reason } = event;
  const parts = [new Date(atMs).toISOString(), outcome, action, object, reason, actor];
  return `${sequence}  ${parts.filter((part) => part !== "").join("  ")}`;
}

/** Prints the last records of a server or site. */
export async function tailAudit(options: AuditTailOptions, { terminal }: CommandContext): Promise<void> {
  await withAudit(options, async (audit) => {
    let records: AuditRecord[] = [];
    const last = (await audit.head?.())?.sequence ?? 0; // a file is read from its beginning
    for await (const record of audit.read(Math.max(1, last - options.lines + 1))) {
      records.push(record);
      if (records.length >= 2 * options.lines) records = records.slice(-options.lines);
    }
    records = records.slice(-options.lines);
    for (const record of records) terminal.line(lineOf(record));
    terminal.result({ records: records.map((record) => JSON.parse(auditRecordToJson(record))) });
  });
}
