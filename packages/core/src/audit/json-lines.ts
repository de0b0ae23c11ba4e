import * as v from "valibot";
import { type Bytes, fromHex, toHex } from "../bytes/index.ts";
import type { AuditRecord } from "../platform/index.ts";
import { AuditBrokenError } from "./chain.ts";
import { MAX_AUDIT_TEXT_BYTES } from "./record.ts";

/** Longest line of an export, in characters; a record within its limits is far shorter. */
export const MAX_AUDIT_LINE_LENGTH = 262_144;

const Text = v.pipe(v.string(), v.maxLength(MAX_AUDIT_TEXT_BYTES));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const LineSchema = v.strictObject({
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  event: v.strictObject({
    atMs: Count,
    actor: Text,
    action: Text,
    object: Text,
    outcome: v.picklist(["accepted", "refused", "done", "failed"]),
    reason: Text,
    correlation: Text,
    details: v.record(Text, v.union([Text, v.pipe(v.number(), v.finite()), v.boolean()])),
  }),
  previousHash: Hash,
  hash: Hash,
});

/** One record as one line of JSON without its line break. JSON escapes every control character, so no field can begin a line. */
export function auditRecordToJson({ sequence, event, previousHash, hash }: AuditRecord): string {
  return JSON.stringify({ sequence, event, previousHash: toHex(previousHash), hash: toHex(hash) });
}

/**
 * The record of one line.
 * @param place number of the line, which is the sequence of the record when nothing was changed
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming `place` when the line is not a record
 */
export function auditRecordFromJson(line: string, place: number): AuditRecord {
  if (line.length > MAX_AUDIT_LINE_LENGTH) throw new AuditBrokenError(place, "the line is too long");
  const parsed = v.safeParse(LineSchema, parseJson(line, place));
  if (!parsed.success)
    throw new AuditBrokenError(place, `the line is not a record: ${v.summarize(parsed.issues)}`);
  const { sequence, event, previousHash, hash } = parsed.output;
  return { sequence, event, previousHash: bytesOf(previousHash), hash: bytesOf(hash) };
}

/** The lines of an export, each with its line break. */
export async function* exportAudit(records: AsyncIterable<AuditRecord>): AsyncGenerator<string, void, void> {
  for await (const record of records) yield `${auditRecordToJson(record)}\n`;
}

/**
 * The records of an export; empty lines at the end are ignored.
 * @param text the file in parts, cut anywhere
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first line that is not a record
 */
export async function* importAudit(
  text: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<AuditRecord, void, void> {
  let place = 0;
  for await (const line of linesOf(text)) {
    place += 1;
    yield auditRecordFromJson(line, place);
  }
}

async function* linesOf(text: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const part of text) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line;
    if (rest.length > MAX_AUDIT_LINE_LENGTH) break; // refused below, before it grows further
  }
  if (rest.trim() !== "") yield rest;
}

function parseJson(line: string, place: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new AuditBrokenError(place, "the line is not JSON");
  }
}

const bytesOf = (hex: string): Bytes => fromHex(hex);
