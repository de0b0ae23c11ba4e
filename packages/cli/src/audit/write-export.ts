import { open, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type AuditHead, auditToCsv, exportAudit, genesisHash, withoutPersonal } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import type { AuditRecord } from "@photinus/core/platform";
import { nodeCrypto } from "@photinus/node-platform";
import { type AuditRecords, verifyRecords } from "./open-records.ts";

/** What is written, and where. */
export interface ExportFile {
  /** File to write; must not exist. */
  readonly output: string;
  /** "jsonl" is what verifies; "csv" is a table for people. */
  readonly format: "jsonl" | "csv";
  /** Commitments in place of names: verifies all the same. */
  readonly withoutNames?: boolean;
}

/**
 * Writes records into a file that only its owner reads, and verifies their chain: of a broken one no file stays. A site may go
 * on recording meanwhile: what counts is the last record in the file.
 *
 * @returns head of what the file holds
 * @throws AuditBrokenError; HostError `ERR_CONFIG_INVALID` when the file exists or cannot be written
 */
export async function writeExport(
  audit: Pick<AuditRecords, "read" | "begin">,
  { output, format, withoutNames = false }: ExportFile,
): Promise<AuditHead> {
  const handle = await open(output, "wx", 0o600).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${output} exists or cannot be written`, { cause });
  });
  try {
    let head: AuditHead = { count: 0, hash: genesisHash() };
    const records = passing(audit.read(), async (record) => {
      head = { count: record.sequence, hash: record.hash };
      return withoutNames ? await withoutPersonal(record, nodeCrypto()) : record;
    });
    const text = format === "csv" ? auditToCsv(records) : exportAudit(records);
    await pipeline(Readable.from(text), handle.createWriteStream({ flush: true }));
    await verifyRecords(audit, { witnesses: [head] });
    return head;
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  }
}

async function* passing(
  records: AsyncIterable<AuditRecord>,
  change: (record: AuditRecord) => Promise<AuditRecord>,
): AsyncGenerator<AuditRecord, void, void> {
  for await (const record of records) yield await change(record);
}
