import { type Client, createClient, type InValue, LibsqlError, type ResultSet } from "@libsql/client/sqlite3";
import { StorageError } from "@photinus/core/errors";

/** Version of everything that lies in the folder: tables, encodings, file names. It rises with each change. */
export const STATE_VERSION = 1;

/** One statement with its values. */
export interface Statement {
  readonly sql: string;
  readonly args: readonly InValue[];
}

/** @throws RangeError when there are not as many values as places: the driver would take NULL in silence */
export function statement(sql: string, ...args: readonly InValue[]): Statement {
  const places = sql.split("?").length - 1;
  if (places !== args.length) throw new RangeError(`${places} places, ${args.length} values`);
  return { sql, args };
}

const TABLES = [
  "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  `INSERT INTO state VALUES ('state_version', ${STATE_VERSION})`,
  "CREATE TABLE metadata (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) STRICT",
  `CREATE TABLE audit (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL, previous_hash BLOB NOT NULL,
     hash BLOB NOT NULL) STRICT`,
  // A mistake in our own code cannot change history; whoever edits the file is found by the chain.
  "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END",
  "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END",
];

/**
 * The libsql file of a server: write-ahead log, every commit synced, one connection that locks the file for this
 * process. Statements of one {@link commit} take effect together or not at all.
 */
export class Database {
  readonly #client: Client;
  #isPrepared = false;

  /** Made by {@link Database.open}. */
  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Opens the file, which exists already, possibly empty.
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when another process has it, `ERR_STORAGE_VERSION`,
   *   `ERR_STORAGE_CORRUPT`
   */
  static async open(path: string): Promise<Database> {
    const database = new Database(connect(path));
    try {
      await database.#prepare();
      await database.#requireVersion();
      await database.#requireIntact();
    } catch (error) {
      await database.close().catch(() => undefined); // what failed before is what counts
      throw storageErrorOf(error);
    }
    return database;
  }

  /** Runs statements in one transaction. @returns one result for each */
  async commit(statements: readonly Statement[]): Promise<readonly ResultSet[]> {
    try {
      if (!this.#isPrepared) await this.#prepare();
      return await this.#client.batch(
        statements.map(({ sql, args }) => ({ sql, args: [...args] })),
        "write",
      );
    } catch (error) {
      this.#isPrepared = false; // the driver may go on with a fresh connection, which has none of our settings
      throw storageErrorOf(error);
    }
  }

  /** Runs one statement that only reads. */
  async query({ sql, args }: Statement): Promise<ResultSet> {
    try {
      if (!this.#isPrepared) await this.#prepare();
      return await this.#client.execute({ sql, args: [...args] });
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Closes the file and unlocks it; its write-ahead log is merged first. Idempotent. */
  async close(): Promise<void> {
    if (this.#client.closed) return;
    try {
      // The driver's close waits for the garbage collector to drop its statements; the lock must not. It can be given
      // up only outside of WAL mode, with the next read.
      await this.#client.execute("PRAGMA journal_mode = DELETE");
      await this.#client.execute("PRAGMA locking_mode = NORMAL");
      await this.#client.execute("SELECT count(*) FROM sqlite_schema");
    } catch (error) {
      throw storageErrorOf(error);
    } finally {
      this.#client.close();
    }
  }

  async #prepare(): Promise<void> {
    // The lock of the operating system goes with the process, however it ends: no stale lock file is left.
    await this.#client.execute("PRAGMA locking_mode = EXCLUSIVE");
    const { rows } = await this.#client.execute("PRAGMA journal_mode = WAL");
    const [mode] = Object.values(rows[0] ?? {});
    if (mode !== "wal")
      throw new StorageError("ERR_STORAGE_UNAVAILABLE", `journal mode ${String(mode)}, not wal`);
    await this.#client.execute("PRAGMA synchronous = FULL");
    await this.#client.batch([], "write"); // takes the lock
    this.#isPrepared = true;
  }

  async #requireVersion(): Promise<void> {
    const { rows: objects } = await this.#client.execute("SELECT name FROM sqlite_schema LIMIT 1");
    if (objects.length === 0) await this.#client.batch(TABLES, "write");
    const version = await this.#readVersion();
    if (version === STATE_VERSION) return;
    const found = version === undefined ? "no storage of Photinus" : `state version ${version}`;
    throw new StorageError("ERR_STORAGE_VERSION", `found ${found}, this program writes ${STATE_VERSION}`);
  }

  async #readVersion(): Promise<number | undefined> {
    const tables = await this.#client.execute(
      "SELECT 1 FROM sqlite_schema WHERE name = 'state' AND type = 'table'",
    );
    if (tables.rows.length === 0) return undefined;
    const { rows } = await this.#client.execute("SELECT value FROM state WHERE name = 'state_version'");
    const value = rows[0]?.["value"];
    return typeof value === "number" ? value : undefined;
  }

  async #requireIntact(): Promise<void> {
    const { rows } = await this.#client.execute("PRAGMA quick_check(1)");
    const [answer] = Object.values(rows[0] ?? {});
    if (answer !== "ok")
      throw new StorageError("ERR_STORAGE_CORRUPT", `the database is damaged: ${String(answer)}`);
  }
}

function connect(path: string): Client {
  try {
    return createClient({ url: `file:${encodeURIComponent(path)}`, concurrency: 1 });
  } catch (error) {
    throw storageErrorOf(error);
  }
}

/** What an error of the driver means for people. */
function storageErrorOf(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = cause instanceof LibsqlError ? cause.code : "";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new StorageError("ERR_STORAGE_UNAVAILABLE", "another process uses the storage folder", { cause });
  }
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) {
    return new StorageError("ERR_STORAGE_CORRUPT", "the database file is damaged", { cause });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("ERR_STORAGE_UNAVAILABLE", `the database refuses: ${text}`, { cause });
}
