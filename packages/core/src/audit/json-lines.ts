import * as v from "valibot";
import { fromHex, toHex } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { AuditRecord } from "../platform/index.ts";
import { AuditBrokenError } from "./chain.ts";
import type { PersonalValue } from "./personal.ts";
import { MAX_AUDIT_TEXT_BYTES } from "./record.ts";

/** Longest line of an export, in characters; a record within its limits is far shorter. */
export const MAX_AUDIT_LINE_LENGTH = 262_144;

const Text = v.pipe(v.string(), v.maxLength(MAX_AUDIT_TEXT_BYTES));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const Salt = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
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
  salts: v.exactOptional(v.record(Text, Salt)),
});

/** One record as one line of JSON without its line break. JSON escapes every control character, so no field can begin a line. */
export function auditRecordToJson({ sequence, event, previousHash, hash, salts }: AuditRecord): string {
  const chained = { sequence, event, previousHash: toHex(previousHash), hash: toHex(hash) };
  return JSON.stringify(salts === undefined ? chained : { ...chained, salts: mapped(salts, toHex) });
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
  const { sequence, event, previousHash, hash, salts } = parsed.output;
  const chained = { sequence, event, previousHash: fromHex(previousHash), hash: fromHex(hash) };
  return salts === undefined ? chained : { ...chained, salts: mapped(salts, fromHex) };
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

const PersonalSchema = v.strictObject({
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  field: Text,
  salt: Salt,
  value: Text,
});

/** A personal value and the record that it belongs to. */
export interface PersonalLine extends PersonalValue {
  /** Sequence of the record. */
  readonly sequence: number;
}

/** One personal value as one line of JSON without its line break. */
export function personalLineToJson({ sequence, field, salt, value }: PersonalLine): string {
  return JSON.stringify({ sequence, field, salt: toHex(salt), value });
}

/**
 * The personal values of a file of such lines. A last line without its break was cut by a crash and told of to nobody: it is left out.
 * @throws StorageError `ERR_STORAGE_CORRUPT` when a line is none
 */
export async function* importPersonal(
  text: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<PersonalLine, void, void> {
  for await (const line of linesOf(text, { isWhole: true })) {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), PersonalSchema), line);
    if (!parsed.success)
      throw new StorageError("ERR_STORAGE_CORRUPT", "a line beside the audit records is no personal value");
    yield { ...parsed.output, salt: fromHex(parsed.output.salt) };
  }
}

async function* linesOf(
  text: AsyncIterable<string> | Iterable<string>,
  { isWhole = false } = {},
): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const part of text) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line;
    if (rest.length > MAX_AUDIT_LINE_LENGTH) break; // refused below, before it grows further
  }
  if (!isWhole && rest.trim() !== "") yield rest;
}

function parseJson(line: string, place: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new AuditBrokenError(place, "the line is not JSON");
  }
}

function mapped<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(values).map(([field, value]) => [field, change(value)]));
}
