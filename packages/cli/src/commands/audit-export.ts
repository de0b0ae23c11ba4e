import { open, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { auditToCsv, exportAudit, verifyChain } from "@photinus/core/audit";
import { toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import type { AuditRecord } from "@photinus/core/platform";
import { nodeCrypto } from "@photinus/node-platform";
import { type AuditPlace, withRecords } from "../audit/open-records.ts";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";

/** Options of `photinus audit export`. */
export interface AuditExportOptions extends AuditPlace {
  /** File to write; must not exist. */
  readonly output: string;
  /** "jsonl" is what verifies; "csv" is a table for people. */
  readonly format: "jsonl" | "csv";
}

/**
 * Writes the records into a file that only its owner reads. The chain is verified on the way: of a broken one no file stays.
 * @throws AuditBrokenError; HostError `ERR_CONFIG_INVALID` when the file exists or cannot be written
 */
export async function exportRecords(
  { output, format, ...place }: AuditExportOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const head = await withRecords(place, async (audit) => {
    const text = format === "csv" ? auditToCsv(audit.read()) : exportAudit(audit.read());
    await writeNew(output, text);
    return await verified(audit.read(), output);
  });
  terminal.line(`${counted(head.count, "record")} written to ${output}. Head ${toHex(head.hash)}`);
  terminal.result({ records: head.count, file: output, format, head: toHex(head.hash) });
}

async function verified(records: AsyncIterable<AuditRecord>, output: string): ReturnType<typeof verifyChain> {
  try {
    return await verifyChain(nodeCrypto(), records);
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  }
}

async function writeNew(path: string, text: AsyncIterable<string>): Promise<void> {
  const handle = await open(path, "wx", 0o600).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${path} exists or cannot be written`, { cause });
  });
  try {
    await pipeline(Readable.from(text), handle.createWriteStream({ flush: true }));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
