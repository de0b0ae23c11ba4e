import { resolve } from "node:path";
import { StorageError } from "@photinus/core/errors";
import Connection from "libsql";
import type { Row } from "./columns.ts";

/** Version of everything that lies in the folder: tables, encodings, file names. It rises with each change. */
export const STATE_VERSION = 2;

/** What a column of the tables takes. */
export type ColumnValue = string | number | Uint8Array;

/** One statement with its values. */
export interface Statement {
  readonly sql: string;
  readonly args: readonly ColumnValue[];
}

/** @throws RangeError when there are not as many values as places: the driver would take NULL in silence */
export function statement(sql: string, ...args: readonly ColumnValue[]): Statement {
  const places = sql.split("?").length - 1;
  if (places !== args.length) throw new RangeError(`${places} places, ${args.length} values`);
  return { sql, args };
}

/** What version 2 has beside version 1: names and closed segments of the audit chain. */
const VERSION_2 = [
  `CREATE TABLE audit_personal (sequence INTEGER NOT NULL, field TEXT NOT NULL, salt BLOB NOT NULL,
     value TEXT NOT NULL, PRIMARY KEY (sequence, field)) STRICT, WITHOUT ROWID`,
  "CREATE TABLE audit_segment (last_sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
  "DROP TRIGGER IF EXISTS audit_no_delete",
  // Records before the end of the last segment are in files. That last one stays: the chain goes on from it.
  `CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
     WHEN OLD.sequence >= (SELECT coalesce(max(last_sequence), 0) FROM audit_segment)
     BEGIN SELECT RAISE(ABORT, 'append-only'); END`,
];

const TABLES = [
  "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  `INSERT INTO state VALUES ('state_version', ${STATE_VERSION})`,
  "CREATE TABLE metadata (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) STRICT",
  `CREATE TABLE audit (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL, previous_hash BLOB NOT NULL,
     hash BLOB NOT NULL) STRICT`,
  // A mistake in our own code cannot change history; whoever edits the file is found by the chain.
  "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END",
  ...VERSION_2,
];

/** A statement of the driver, ready to run. */
type Prepared = ReturnType<Connection.Database["prepare"]>;

/** The server has a dozen statements; whoever passes more of them does not keep all. */
const MAX_PREPARED = 64;

/**
 * The libsql file of a server: write-ahead log, every commit synced, one connection that locks the file for this
 * process. Statements of one {@link commit} take effect together or not at all; each text is compiled once.
 */
export class Database {
  readonly #connection: Connection.Database;
  readonly #prepared = new Map<string, Prepared>();

  /** Made by {@link Database.open}. */
  private constructor(connection: Connection.Database) {
    this.#connection = connection;
  }

  /**
   * Opens the file, which exists already, possibly empty.
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when another process has it, `ERR_STORAGE_VERSION`,
   *   `ERR_STORAGE_CORRUPT`
   */
  static open(path: string): Database {
    const database = new Database(connect(path));
    try {
      database.#lock();
      database.#requireVersion();
      database.#requireIntact();
    } catch (error) {
      database.#closeQuietly(); // what failed before is what counts
      throw storageErrorOf(error);
    }
    return database;
  }

  /** Runs statements in one transaction, which waits for the disk. @returns the rows of each */
  commit(statements: readonly Statement[]): readonly (readonly Row[])[] {
    try {
      return this.#transact(() => statements.map((each) => this.#run(each)));
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Runs one statement that only reads. */
  query(read: Statement): readonly Row[] {
    try {
      return this.#run(read);
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Closes the file and unlocks it; its write-ahead log is merged first. Idempotent. */
  close(): void {
    if (!this.#connection.open) return;
    this.#prepared.clear();
    try {
      // The driver's close waits for the garbage collector to drop its statements; the lock must not. It can be given
      // up only outside of WAL mode, with the next read.
      this.#readOnce("PRAGMA journal_mode = DELETE");
      this.#readOnce("PRAGMA locking_mode = NORMAL");
      this.#readOnce("SELECT count(*) FROM sqlite_schema");
    } catch (error) {
      throw storageErrorOf(error);
    } finally {
      this.#connection.close();
    }
  }

  #closeQuietly(): void {
    try {
      this.close();
    } catch {
      // Whoever could not open it hears why, not what else went wrong.
    }
  }

  #lock(): void {
    // The lock of the operating system goes with the process, however it ends: no stale lock file is left.
    this.#readOnce("PRAGMA locking_mode = EXCLUSIVE");
    const [row] = this.#readOnce("PRAGMA journal_mode = WAL");
    const [mode] = Object.values(row ?? {});
    if (mode !== "wal")
      throw new StorageError("ERR_STORAGE_UNAVAILABLE", `journal mode ${String(mode)}, not wal`);
    this.#connection.exec("PRAGMA synchronous = FULL");
    this.#connection.exec("PRAGMA secure_delete = ON"); // what is erased is in no unused part of a page
    this.#transact(() => undefined); // takes the lock
  }

  #transact<T>(work: () => T): T {
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#connection.exec("COMMIT");
      return result;
    } finally {
      // After a COMMIT that the disk refused the transaction may be open, or SQLite may have ended it by itself.
      if (this.#connection.inTransaction) this.#connection.exec("ROLLBACK");
    }
  }

  #run({ sql, args }: Statement): readonly Row[] {
    const prepared = this.#prepare(sql);
    if (prepared.reader) return rowsOf(prepared.all([...args]));
    prepared.run([...args]);
    return [];
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#connection.prepare(sql);
    if (this.#prepared.size < MAX_PREPARED) this.#prepared.set(sql, prepared);
    return prepared;
  }

  #readOnce(sql: string): readonly Row[] {
    return rowsOf(this.#connection.prepare(sql).all());
  }

  #requireVersion(): void {
    const objects = this.#readOnce("SELECT name FROM sqlite_schema LIMIT 1");
    if (objects.length === 0) this.#transact(() => this.#connection.exec(TABLES.join(";\n")));
    if (this.#readVersion() === 1) {
      const raise = `UPDATE state SET value = ${STATE_VERSION} WHERE name = 'state_version'`;
      this.#transact(() => this.#connection.exec([...VERSION_2, raise].join(";\n")));
    }
    const version = this.#readVersion();
    if (version === STATE_VERSION) return;
    const found = version === undefined ? "no storage of Photinus" : `state version ${version}`;
    throw new StorageError("ERR_STORAGE_VERSION", `found ${found}, this program writes ${STATE_VERSION}`);
  }

  #readVersion(): number | undefined {
    const tables = this.#readOnce("SELECT 1 FROM sqlite_schema WHERE name = 'state' AND type = 'table'");
    if (tables.length === 0) return undefined;
    const [row] = this.#readOnce("SELECT value FROM state WHERE name = 'state_version'");
    const value = row?.["value"];
    return typeof value === "number" ? value : undefined;
  }

  #requireIntact(): void {
    const [row] = this.#readOnce("PRAGMA quick_check(1)");
    const [answer] = Object.values(row ?? {});
    if (answer !== "ok")
      throw new StorageError("ERR_STORAGE_CORRUPT", `the database is damaged: ${String(answer)}`);
  }
}

function connect(path: string): Connection.Database {
  try {
    return new Connection(resolve(path)); // absolute, so that no name of a file reads as a URI
  } catch (error) {
    throw storageErrorOf(error);
  }
}

function rowsOf(rows: readonly unknown[]): readonly Row[] {
  return rows as readonly Row[]; // the driver's rows are objects; columns are checked one by one when they are read
}

/** What an error of the driver means for people. */
function storageErrorOf(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = cause instanceof Connection.SqliteError ? cause.code : "";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new StorageError("ERR_STORAGE_UNAVAILABLE", "another process uses the storage folder", { cause });
  }
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) {
    return new StorageError("ERR_STORAGE_CORRUPT", "the database file is damaged", { cause });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("ERR_STORAGE_UNAVAILABLE", `the database refuses: ${text}`, { cause });
}
