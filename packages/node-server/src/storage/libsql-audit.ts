import { AuditBrokenError, chainRecord, decodeAuditEntry, verifyChain } from "@photinus/core/audit";
import type { AuditEvent, AuditRecord, AuditStore, CryptoProvider } from "@photinus/core/platform";
import { bytesColumn, integerColumn, type Row } from "./columns.ts";
import { type Database, statement } from "./database.ts";
import type { GroupWriter } from "./group-writer.ts";

/** Records that one query reads. */
const PAGE_ROWS = 256;

const INSERT = "INSERT INTO audit VALUES (?, ?, ?, ?)";
const PAGE = `SELECT sequence, entry, previous_hash, hash FROM audit WHERE sequence >= ?
  ORDER BY sequence LIMIT ${PAGE_ROWS}`;
const LAST = "SELECT sequence, entry, previous_hash, hash FROM audit ORDER BY sequence DESC LIMIT 1";

/** The audit role in a libsql table that triggers keep append-only. */
export class LibsqlAudit implements AuditStore {
  readonly #database: Database;
  readonly #writer: GroupWriter;
  readonly #crypto: CryptoProvider;
  /** Last record on disk. */
  #head: AuditRecord | undefined;
  /** Last record that was chained; ahead of the head while a commit is under way. */
  #tip: AuditRecord | undefined;

  private constructor(
    database: Database,
    modules: { readonly writer: GroupWriter; readonly crypto: CryptoProvider },
  ) {
    this.#database = database;
    this.#writer = modules.writer;
    this.#crypto = modules.crypto;
  }

  /**
   * Goes on with the chain in `database`.
   * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first broken record, when the last one is not what its hash
   *   says: a chain is never continued from a record that was changed
   */
  static async open(
    database: Database,
    modules: { readonly writer: GroupWriter; readonly crypto: CryptoProvider },
  ): Promise<LibsqlAudit> {
    const audit = new LibsqlAudit(database, modules);
    try {
      audit.#head = await audit.#readHead();
    } catch (error) {
      await verifyChain(modules.crypto, audit.read()); // names the first broken record rather than the last
      throw error;
    }
    audit.#tip = audit.#head;
    return audit;
  }

  append(event: AuditEvent): Promise<AuditRecord> {
    let record: AuditRecord;
    return this.#writer.submit({
      prepare: async () => {
        const chained = await chainRecord(this.#crypto, this.#tip, event);
        record = chained.record;
        this.#tip = record;
        const { sequence, previousHash, hash } = record;
        return [statement(INSERT, sequence, chained.entry, previousHash, hash)];
      },
      conclude: () => {
        this.#head = record;
        return record;
      },
      abandon: () => {
        this.#tip = this.#head; // the whole commit failed, so every record after the head
      },
    });
  }

  async *read(fromSequence = 1): AsyncGenerator<AuditRecord, void, void> {
    let next = fromSequence;
    for (;;) {
      const rows = this.#database.query(statement(PAGE, next));
      for (const row of rows) yield recordOf(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      next = integerColumn(last, "sequence") + 1;
    }
  }

  /** The last record, checked against its own hash. */
  async #readHead(): Promise<AuditRecord | undefined> {
    const [row] = this.#database.query(statement(LAST));
    if (row === undefined) return undefined;
    const record = recordOf(row);
    await requireGenuine(this.#crypto, record);
    return record;
  }

  async head(): Promise<AuditRecord | undefined> {
    return await Promise.resolve(this.#head);
  }
}

function recordOf(row: Row): AuditRecord {
  const sequence = integerColumn(row, "sequence");
  try {
    const entry = decodeAuditEntry(bytesColumn(row, "entry"));
    if (entry.sequence !== sequence)
      throw new AuditBrokenError(sequence, `it says it is record ${entry.sequence}`);
    return {
      sequence,
      event: entry.event,
      previousHash: bytesColumn(row, "previous_hash"),
      hash: bytesColumn(row, "hash"),
    };
  } catch (error) {
    if (error instanceof AuditBrokenError) throw error;
    throw new AuditBrokenError(sequence, "its stored bytes are not those of a record");
  }
}

async function requireGenuine(crypto: CryptoProvider, record: AuditRecord): Promise<void> {
  const previous = { sequence: record.sequence - 1, hash: record.previousHash };
  const { record: expected } = await chainRecord(crypto, previous, record.event);
  if (expected.hash.some((byte, index) => byte !== record.hash[index])) {
    throw new AuditBrokenError(record.sequence, "its content was changed");
  }
}
