import * as v from "valibot";
import { nearestWord } from "./nearest-word.ts";
import { DocumentFault, type DocumentPath, type PositionedDocument } from "./positioned-document.ts";

/**
 * Checks what a document says by a schema.
 * @throws DocumentFault at the first thing that is not as the schema wants it, with the nearest key for one it does not know
 */
export function checkDocument<T>(document: PositionedDocument, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, document.value);
  if (result.success) return result.output;
  const [first] = result.issues;
  // A key that is written wrong is missing too: what was written says more.
  const issue = result.issues.find(isUnknownKey) ?? first;
  const items = issue.path ?? [];
  const path = items.map(({ key }): string | number => (typeof key === "number" ? key : String(key)));
  const isKey = items.at(-1)?.origin === "key";
  const isUnknown = isUnknownKey(issue);
  const where = document.at(path, isUnknown ? "key" : "value");
  throw new DocumentFault(where, describe(issue, { path, isKey, isUnknown, schema, value: document.value }));
}

function isUnknownKey({ path, expected }: v.BaseIssue<unknown>): boolean {
  return expected === "never" && path?.at(-1)?.origin === "key";
}

interface IssuePlace {
  readonly path: DocumentPath;
  /** It is about a key that is missing or not known, not about its value. */
  readonly isKey: boolean;
  readonly isUnknown: boolean;
  readonly schema: unknown;
  /** The whole document. */
  readonly value: unknown;
}

function describe(issue: v.BaseIssue<unknown>, place: IssuePlace): string {
  const { path, isKey, isUnknown } = place;
  const name = path.join(".") || "the document";
  if (isUnknown) return `${name} is not known${suggestion(place)}`;
  if (isKey) return `${name} is missing`;
  if (issue.type === "picklist" || issue.type === "variant")
    return `${name}: expected ${words(issue)} (got ${issue.received})`;
  if (issue.kind === "schema") return `${name}: expected ${issue.expected} (got ${kindOf(issue.input)})`;
  return `${name}: ${issue.message} (got ${shortly(issue.path?.at(-1)?.value)})`;
}

function words({ expected }: v.BaseIssue<unknown>): string {
  return (expected ?? "").replaceAll(/[()"]/g, "").split(" | ").join(", ");
}

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (input === null || input === undefined) return "nothing";
  return typeof input === "object" ? "a map" : shortly(input);
}

/** What a person wrote, cut: it may be anything, and as long as the file. */
function shortly(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function suggestion({ path, schema, value }: IssuePlace): string {
  const known = keysAt(schema, value, path.slice(0, -1));
  const nearest = nearestWord(String(path.at(-1)), known);
  if (nearest !== undefined) return `: did you mean ${nearest}?`;
  return known.length === 0 ? "" : `: expected one of ${known.join(", ")}`;
}

/** Keys that a schema admits at a place; of several forms, those of the one that was written. */
function keysAt(schema: unknown, value: unknown, path: DocumentPath): readonly string[] {
  let [at, written] = [formOf(schema, value), value];
  for (const step of path) {
    const inside = typeof step === "number" ? field(at, "item") : field(field(at, "entries"), step);
    written = field(written, step);
    at = formOf(inside, written);
  }
  const entries = field(at, "entries");
  return typeof entries === "object" && entries !== null ? Object.keys(entries) : [];
}

function formOf(schema: unknown, value: unknown): unknown {
  const inner = field(schema, "wrapped");
  if (inner !== undefined) return formOf(inner, value);
  const getter = field(schema, "getter");
  if (typeof getter === "function") return formOf(getter(value), value);
  const [key, options] = [field(schema, "key"), field(schema, "options")];
  if (typeof key !== "string" || !Array.isArray(options)) return schema;
  return options.find((option) => isWord(field(field(option, "entries"), key), field(value, key)));
}

/** True when a literal or a list of words admits what was written. */
function isWord(schema: unknown, written: unknown): boolean {
  const options = field(schema, "options");
  return Array.isArray(options) ? options.includes(written) : field(schema, "literal") === written;
}

function field(value: unknown, key: string | number): unknown {
  const isHolder = typeof value === "object" && value !== null && Object.hasOwn(value, key);
  return isHolder ? Reflect.get(value, key) : undefined;
}
