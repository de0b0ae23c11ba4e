import type { Bytes } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";
import {
  type MetadataEntry,
  type MetadataPage,
  type MetadataStore,
  requireMetadataKey,
  requireMetadataPrefix,
  requireMetadataValue,
} from "@photinus/core/platform";
import { bytesColumn, integerColumn, type Row, textColumn } from "./columns.ts";
import { type Database, type Statement, statement } from "./database.ts";
import type { GroupWriter } from "./group-writer.ts";

const CREATE = "INSERT INTO metadata VALUES (?, ?, 1) ON CONFLICT DO NOTHING RETURNING revision";
const UPSERT = `INSERT INTO metadata VALUES (?, ?, 1)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = revision + 1 RETURNING revision`;
const UPDATE =
  "UPDATE metadata SET value = ?, revision = revision + 1 WHERE key = ? AND revision = ? RETURNING revision";
const DELETE = "DELETE FROM metadata WHERE key = ?";
const DELETE_REVISION = "DELETE FROM metadata WHERE key = ? AND revision = ?";
const GET = "SELECT value, revision FROM metadata WHERE key = ?";
const REVISION = "SELECT revision FROM metadata WHERE key = ?";
// Keys are printable ASCII, so the byte after the last of them bounds all that begin with a prefix.
const LIST = "SELECT key, value, revision FROM metadata WHERE key >= ? AND key < ? ORDER BY key";
const PAGE = `SELECT key, value, revision FROM metadata WHERE key >= ? AND key < ?
  ORDER BY key DESC LIMIT ?`;
const BEYOND_PREFIX = "\x7f";

/** The metadata role in a libsql table. Each write is one conditional statement, so many share one commit. */
export class LibsqlMetadata implements MetadataStore {
  readonly #database: Database;
  readonly #writer: GroupWriter;

  /** Reads from `database`, writes through its one writer. */
  constructor(database: Database, writer: GroupWriter) {
    this.#database = database;
    this.#writer = writer;
  }

  async get(key: string): Promise<MetadataEntry | undefined> {
    requireMetadataKey(key);
    const [row] = this.#database.query(statement(GET, key));
    if (row === undefined) return await Promise.resolve(undefined);
    return { key, value: bytesColumn(row, "value"), revision: integerColumn(row, "revision") };
  }

  async create(key: string, value: Bytes): Promise<number> {
    const stored = requireEntry(key, value);
    return await this.#submit([statement(CREATE, key, stored)], ([created]) => {
      return revisionOf(created) ?? raise(new StorageError("ERR_STORAGE_EXISTS", `${key} exists`));
    });
  }

  async put(key: string, value: Bytes, expectedRevision?: number): Promise<number> {
    const stored = requireEntry(key, value);
    if (expectedRevision === undefined) {
      return await this.#submit(
        [statement(UPSERT, key, stored)],
        ([put]) => revisionOf(put) ?? raise(lost(key)),
      );
    }
    const statements = [statement(UPDATE, stored, key, expectedRevision), statement(REVISION, key)];
    return await this.#submit(statements, ([updated, present]) => {
      return revisionOf(updated) ?? raise(conflict(key, revisionOf(present), expectedRevision));
    });
  }

  async delete(key: string, expectedRevision?: number): Promise<void> {
    requireMetadataKey(key);
    if (expectedRevision === undefined) {
      await this.#submit([statement(DELETE, key)], () => undefined);
      return;
    }
    const statements = [statement(DELETE_REVISION, key, expectedRevision), statement(REVISION, key)];
    await this.#submit(statements, ([, left]) => {
      const present = revisionOf(left);
      if (present !== undefined) raise(conflict(key, present, expectedRevision));
    });
  }

  async list(prefix: string, page?: MetadataPage): Promise<readonly MetadataEntry[]> {
    requireMetadataPrefix(prefix);
    const end = page?.before ?? prefix + BEYOND_PREFIX;
    const read = page === undefined ? statement(LIST, prefix, end) : statement(PAGE, prefix, end, page.most);
    const rows = await Promise.resolve(this.#database.query(read));
    return rows.map((row) => ({
      key: textColumn(row, "key"),
      value: bytesColumn(row, "value"),
      revision: integerColumn(row, "revision"),
    }));
  }

  #submit<T>(
    statements: readonly Statement[],
    conclude: (results: readonly (readonly Row[])[]) => T,
  ): Promise<T> {
    return this.#writer.submit({ prepare: () => statements, conclude });
  }
}

/** @returns a copy of the value: the caller may go on with its memory while the write waits */
function requireEntry(key: string, value: Bytes): Bytes {
  requireMetadataKey(key);
  requireMetadataValue(value);
  return Uint8Array.from(value);
}

function revisionOf(rows: readonly Row[] | undefined): number | undefined {
  const row = rows?.[0];
  return row === undefined ? undefined : integerColumn(row, "revision");
}

function conflict(key: string, present: number | undefined, expected: number): StorageError {
  const problem = `${key} is at revision ${present ?? "none"}, not ${expected}`;
  return new StorageError("ERR_STORAGE_CONFLICT", problem);
}

function lost(key: string): StorageError {
  return new StorageError("ERR_STORAGE_UNAVAILABLE", `the write of ${key} gave no revision`);
}

function raise(error: Error): never {
  throw error;
}
