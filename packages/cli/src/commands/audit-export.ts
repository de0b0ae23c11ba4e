import { toHex } from "@photinus/core/bytes";
import { type AuditPlace, withRecords } from "../audit/open-records.ts";
import { type ExportFile, writeExport } from "../audit/write-export.ts";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";

/** Options of `photinus audit export`. */
export interface AuditExportOptions extends AuditPlace, ExportFile {}

/** Writes the records into a file. @throws as `withRecords` and `writeExport` */
export async function exportRecords(
  options: AuditExportOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const { output, format } = options;
  const head = await withRecords(options, (audit) => writeExport(audit, options));
  terminal.line(`${counted(head.count, "record")} written to ${output}. Head ${toHex(head.hash)}`);
  terminal.result({ records: head.count, file: output, format, head: toHex(head.hash) });
}
