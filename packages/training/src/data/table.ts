import type { Bytes } from "@photinus/core/bytes";
import { malformed } from "./idx.ts";

/** Rows of text under names: what CSV and JSON lines have in common. */
export interface Table {
  /** Names, all different. */
  readonly columns: readonly string[];
  /** Each as long as `columns`; empty text where nothing is given. */
  readonly rows: readonly (readonly string[])[];
}

/** Most columns of a table. */
const MAX_COLUMNS = 4096;

/** Most cells of a table. */
const MAX_CELLS = 2 ** 24;

/** Most rows of a table: each costs memory, however few cells it has. */
const MAX_ROWS = 2 ** 22;

/** Longest text of a table: what is longer does not fit into one string of every runtime. */
const MAX_TABLE_BYTES = 2 ** 28;

/** Most characters of one cell. */
const MAX_CELL_LENGTH = 65_536;

/**
 * Reads comma-separated values with a line of names at the top (RFC 4180; lines end in LF or CRLF; a byte order mark is passed
 * over).
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` with the line, for a row of another length, an open quote, text behind a
 *   closing one, bytes that are no UTF-8, or more than the limits allow
 */
export function parseCsv(bytes: Bytes, name: string, maxRows: number = MAX_ROWS): Table {
  const text = decode(bytes, name);
  const reader = new CsvReader(text, name);
  const columns = reader.row();
  if (columns === undefined) malformed(name, "it is empty");
  requireColumns(columns, name);
  const rows: (readonly string[])[] = [];
  for (let row = reader.row(); row !== undefined; row = reader.row()) {
    if (row.length !== columns.length) {
      malformed(name, `line ${reader.line} has ${row.length} cells, its first has ${columns.length}`);
    }
    requireRoom({ columns, rows }, { name, maxRows });
    rows.push(row);
  }
  return { columns, rows };
}

/** Goes through the text once, character by character where it is quoted. */
class CsvReader {
  readonly #text: string;
  readonly #name: string;
  #at = 0;
  #line = 0;
  #nextLine = 1;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  /** Where the row that was read last begins, counted from 1. */
  get line(): number {
    return this.#line;
  }

  /** The next row; undefined behind the last. */
  row(): readonly string[] | undefined {
    if (this.#at >= this.#text.length) return undefined;
    this.#line = this.#nextLine;
    const cells: string[] = [];
    for (;;) {
      const cell = this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
      if (cell.length > MAX_CELL_LENGTH) this.#refuse("a cell is too long");
      cells.push(cell);
      if (cells.length > MAX_COLUMNS) this.#refuse(`more than ${MAX_COLUMNS} cells`);
      if (this.#text[this.#at] !== ",") break;
      this.#at++;
    }
    this.#endOfLine();
    return cells;
  }

  #plain(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !",\n\r".includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #quoted(): string {
    const parts: string[] = [];
    for (;;) {
      const end = this.#text.indexOf('"', this.#at + 1);
      if (end < 0) this.#refuse("a quote is not closed");
      parts.push(this.#text.slice(this.#at + 1, end));
      this.#at = end + 1;
      if (this.#text[this.#at] !== '"') break;
    }
    const cell = parts.join('"');
    this.#nextLine += cell.split("\n").length - 1;
    return cell;
  }

  #endOfLine(): void {
    if (this.#text[this.#at] === "\r") this.#at++;
    if (this.#at < this.#text.length && this.#text[this.#at] !== "\n")
      this.#refuse("text behind a closing quote");
    this.#at++;
    this.#nextLine++;
  }

  #refuse(what: string): never {
    malformed(this.#name, `line ${this.#line}: ${what}`);
  }
}

/**
 * Reads one JSON object per line. The first says the columns; values are text, numbers, truth values or null.
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` with the line
 */
export function parseJsonLines(bytes: Bytes, name: string, maxRows: number = MAX_ROWS): Table {
  let columns: readonly string[] | undefined;
  const rows: (readonly string[])[] = [];
  for (const { line, number } of linesOf(decode(bytes, name))) {
    const record = recordOf(line, name, number);
    if (columns === undefined) {
      columns = [...record.keys()];
      requireColumns(columns, name);
    }
    if (record.size !== columns.length || columns.some((column) => !record.has(column))) {
      malformed(name, `line ${number} has other fields than the first`);
    }
    requireRoom({ columns, rows }, { name, maxRows });
    rows.push(columns.map((column) => record.get(column) ?? ""));
  }
  return columns === undefined ? malformed(name, "it is empty") : { columns, rows };
}

/** Lines that hold something, one at a time: a file of nothing but line ends is no list of them. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly number: number }> {
  for (let start = 0, number = 1; start < text.length; number++) {
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end < 0 ? text.length : end);
    if (line.trim() !== "") yield { line, number };
    start = end < 0 ? text.length : end + 1;
  }
}

function recordOf(line: string, name: string, number: number): ReadonlyMap<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    malformed(name, `line ${number} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    malformed(name, `line ${number} is no object`);
  }
  return new Map(
    Object.entries(value).map(([key, cell]: [string, unknown]) => {
      if (cell === null) return [key, ""];
      if (typeof cell === "object")
        malformed(name, `line ${number}: ${key.slice(0, 40)} is neither text nor a number`);
      const text = String(cell);
      if (text.length > MAX_CELL_LENGTH) malformed(name, `line ${number}: a cell is too long`);
      return [key, text];
    }),
  );
}

function decode(bytes: Bytes, name: string): string {
  if (bytes.byteLength > MAX_TABLE_BYTES) malformed(name, `more than ${MAX_TABLE_BYTES} bytes of text`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    malformed(name, "it is not UTF-8");
  }
}

/** @throws TrainingError `ERR_DATA_MALFORMED` when the table is full */
function requireRoom(
  { columns, rows }: Table,
  { name, maxRows }: { readonly name: string; readonly maxRows: number },
): void {
  if (rows.length >= maxRows) malformed(name, `more than ${maxRows} rows`);
  if ((rows.length + 1) * columns.length > MAX_CELLS) malformed(name, `more than ${MAX_CELLS} cells`);
}

function requireColumns(columns: readonly string[], name: string): void {
  if (columns.length > MAX_COLUMNS) malformed(name, `more than ${MAX_COLUMNS} columns`);
  if (columns.length === 0) malformed(name, "it has no columns");
  if (new Set(columns).size !== columns.length) malformed(name, "a column occurs twice");
}
