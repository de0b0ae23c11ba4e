import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";

/** A path into a document: keys of maps, numbers of lists. */
export type DocumentPath = readonly (string | number)[];

/** A YAML document that knows where in its file everything stands. */
export interface PositionedDocument {
  /** Name of the file as it was given. */
  readonly file: string;
  /** What the document says, unchecked. */
  readonly value: unknown;
  /**
   * Where a value stands, or the key that leads to it, as `file:line:column`; of what is not there, its nearest container.
   */
  at(path: DocumentPath, part?: "key" | "value"): string;
}

/** What is wrong with a document, and where. */
export class DocumentFault extends Error {
  /** `file:line:column` */
  readonly position: string;

  constructor(position: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.position = position;
  }
}

/** No document that a person writes is larger. */
export const MAX_DOCUMENT_BYTES = 1_048_576;

/** Brackets that are open at a time: no document of ours comes to a tenth of it. */
const MAX_OPEN_BRACKETS = 256;

/**
 * Reads one YAML document (version 1.2, core schema). Aliases are refused, since a few of them grow to any size; so are
 * duplicate keys, unknown tags and a second document.
 *
 * @throws DocumentFault
 */
export function readPositionedDocument(file: string, text: string): PositionedDocument {
  if (text.length > MAX_DOCUMENT_BYTES) {
    throw new DocumentFault(`${file}:1:1`, `larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  requireShallow(text, place);
  const document = parsed(text, lines, file);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    throw new DocumentFault(place(problem.pos[0]), firstLine(problem.message), { cause: problem });
  }
  visit(document, {
    Alias(_key, alias) {
      throw new DocumentFault(place(alias.range?.[0] ?? 0), "aliases are not taken: write the value out");
    },
  });
  const at = (path: DocumentPath, part: "key" | "value" = "value"): string =>
    place(offsetOf(document.contents, path, part));
  return { file, value: document.toJS({ maxAliasCount: 0 }), at };
}

/** The parser calls itself for some kinds of nesting that no count of brackets shows, such as lists in lists. */
function parsed(text: string, lineCounter: LineCounter, file: string): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, version: "1.2", uniqueKeys: true, prettyErrors: false });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DocumentFault(`${file}:1:1`, "nested too deeply", { cause });
  }
}

function firstLine(message: string): string {
  return message.includes("call stack") ? "nested too deeply" : (message.split("\n")[0] ?? "");
}

/** The composer calls itself for each level: what is nested too deeply is refused before it is composed. */
function requireShallow(text: string, place: (offset: number) => string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "[" || character === "{") depth++;
    if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    if (depth > MAX_OPEN_BRACKETS) throw new DocumentFault(place(index), "nested too deeply");
  }
  const deepest = text.match(/^ {200}/m);
  if (deepest?.index !== undefined) throw new DocumentFault(place(deepest.index), "indented too deeply");
}

function offsetOf(root: unknown, path: DocumentPath, part: "key" | "value"): number {
  let node = root;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1;
    const next = stepInto(node, step);
    if (next === undefined) return offset;
    offset = (isLast && part === "key" ? next.key : startOf(next.value)) ?? next.key ?? offset;
    node = next.value;
  }
  return offset;
}

interface Step {
  readonly value: unknown;
  /** Where the key stands; `undefined` in a list. */
  readonly key: number | undefined;
}

function stepInto(node: unknown, step: string | number): Step | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && keyOf(item.key) === String(step));
    return pair === undefined ? undefined : { value: pair.value, key: startOf(pair.key) };
  }
  if (!hasItems(node)) return undefined;
  const item = node.items[Number(step)];
  return item === undefined ? undefined : { value: item, key: startOf(item) };
}

function hasItems(node: unknown): node is { readonly items: readonly unknown[] } {
  return typeof node === "object" && node !== null && "items" in node && Array.isArray(node.items);
}

function keyOf(key: unknown): string {
  return typeof key === "object" && key !== null && "value" in key ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) && !isAlias(node) ? rangeStart(node) : undefined;
}

function rangeStart({ range }: Node): number | undefined {
  return range?.[0];
}
