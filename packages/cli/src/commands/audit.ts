import { AuditBrokenError, auditRecordToJson } from "@photinus/core/audit";
import { toHex } from "@photinus/core/bytes";
import type { AuditRecord } from "@photinus/core/platform";
import { type AuditPlace, verifyRecords, withRecords } from "../audit/open-records.ts";
import { lineOfRecord } from "../audit/record-line.ts";
import { type WitnessOptions, witnessedHeads } from "../audit/witnessed-heads.ts";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";

/** Options of `photinus audit verify`. */
export interface AuditVerifyOptions extends AuditPlace, Partial<WitnessOptions> {}

/** Options of `photinus audit tail`. */
export interface AuditTailOptions extends AuditPlace {
  /** Records to print. */
  readonly lines: number;
}

/**
 * Recomputes the chain of a server's or site's records, and holds it against what the other side has witnessed of it.
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first broken record
 */
export async function verifyAudit(options: AuditVerifyOptions, { terminal }: CommandContext): Promise<void> {
  const { witness, certificate } = options;
  const witnesses = witness === undefined ? [] : await witnessedHeads({ ...options, witness });
  if (witness !== undefined && certificate === undefined) {
    terminal.note(`The heads are taken on the word of ${witness}: --certificate verifies who signed them.`);
  }
  try {
    const { head, from } = await withRecords(options, async (audit) => ({
      head: await verifyRecords(audit, { witnesses }),
      from: await audit.begin?.(),
    }));
    if (from !== undefined)
      terminal.note(`Records 1 to ${from.count} lie elsewhere: these go on from there.`);
    const agreed = witness === undefined ? "" : `, ${counted(witnesses.length, "witnessed head")} in it`;
    terminal.line(`${counted(head.count, "record")}, chain verified${agreed}. Head ${toHex(head.hash)}`);
    const heads = witness === undefined ? {} : { witnessed: witnesses.length };
    terminal.result({ records: head.count, verified: true, head: toHex(head.hash), ...heads });
  } catch (error) {
    if (error instanceof AuditBrokenError) terminal.note(`First broken record: ${error.sequence}`);
    throw error;
  }
}

/** Prints the last records of a server or site. */
export async function tailAudit(options: AuditTailOptions, { terminal }: CommandContext): Promise<void> {
  await withRecords(options, async (audit) => {
    let records: AuditRecord[] = [];
    const last = (await audit.head?.())?.sequence ?? 0; // a file is read from its beginning
    for await (const record of audit.read(Math.max(1, last - options.lines + 1))) {
      records.push(record);
      if (records.length >= 2 * options.lines) records = records.slice(-options.lines);
    }
    records = records.slice(-options.lines);
    for (const record of records) terminal.line(lineOfRecord({ ...record.event, sequence: record.sequence }));
    terminal.result({ records: records.map((record) => JSON.parse(auditRecordToJson(record))) });
  });
}
