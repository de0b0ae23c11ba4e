import { toHex } from "../bytes/index.ts";
import type { AuditRecord } from "../platform/index.ts";

const COLUMNS = [
  "sequence",
  "time",
  "actor",
  "action",
  "object",
  "outcome",
  "reason",
  "correlation",
  "details",
  "hash",
] as const;

/** What spreadsheets take for the begin of a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r]/;

/** One field: quoted as RFC 4180 says, and never a formula. */
function cell(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/**
 * The records as a table for people, one a line, times in UTC. It is no export: details are one column of JSON, and a chain
 * cannot be verified from it.
 */
export async function* auditToCsv(records: AsyncIterable<AuditRecord>): AsyncGenerator<string, void, void> {
  yield `${COLUMNS.join(",")}\r\n`;
  for await (const { sequence, event, hash } of records) {
    const { atMs, actor, action, object, outcome, reason, correlation, details } = event;
    const texts = [actor, action, object, outcome, reason, correlation, JSON.stringify(details)];
    yield `${[`${sequence}`, new Date(atMs).toISOString(), ...texts.map(cell), toHex(hash)].join(",")}\r\n`;
  }
}
