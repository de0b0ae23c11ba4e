import {
  AuditBrokenError,
  type AuditHead,
  chainRecord,
  decodeAuditEntry,
  type PersonalValue,
  verifyChain,
  withPersonal,
} from "@photinus/core/audit";
import type { AuditEvent, AuditRecord, AuditStore, CryptoProvider } from "@photinus/core/platform";
import type { ClosedSegments } from "./closed-segments.ts";
import { bytesColumn, integerColumn, type Row, textColumn } from "./columns.ts";
import { type Database, statement } from "./database.ts";
import type { GroupWriter } from "./group-writer.ts";

/** Records after which a segment of the chain is closed: about 16 MiB. */
export const AUDIT_SEGMENT_RECORDS = 32_768;

/** Records that one query reads, or one commit takes out of the table. */
const PAGE_ROWS = 256;

const INSERT = "INSERT INTO audit VALUES (?, ?, ?, ?)";
const INSERT_PERSONAL = "INSERT INTO audit_personal VALUES (?, ?, ?, ?)";
const PAGE = `SELECT sequence, entry, previous_hash, hash FROM audit WHERE sequence >= ?
  ORDER BY sequence LIMIT ${PAGE_ROWS}`;
const PERSONAL = `SELECT sequence, field, salt, value FROM audit_personal WHERE sequence BETWEEN ? AND ?
  ORDER BY sequence`;
const LAST = "SELECT sequence, entry, previous_hash, hash FROM audit ORDER BY sequence DESC LIMIT 1";
const FIRST = "SELECT min(sequence) AS first FROM audit HAVING first IS NOT NULL";
const MOVE = "DELETE FROM audit WHERE sequence < ?";
const ERASE = `DELETE FROM audit_personal WHERE instr(' ' || value || ' ', ' ' || ? || ' ') > 0 RETURNING sequence`;

interface AuditModules {
  readonly writer: GroupWriter;
  readonly crypto: CryptoProvider;
  readonly segments: ClosedSegments;
  readonly segmentRecords: number;
}

/**
 * The audit role in a libsql table that triggers keep append-only. Names lie in a table of their own, from which they can be erased; old
 * records go to files, segment by segment.
 */
export class LibsqlAudit implements AuditStore {
  readonly #database: Database;
  readonly #writer: GroupWriter;
  readonly #crypto: CryptoProvider;
  readonly #segments: ClosedSegments;
  readonly #segmentRecords: number;
  /** Last record on disk. */
  #head: AuditRecord | undefined;
  /** Last record that was chained; ahead of the head while a commit is under way. */
  #tip: AuditRecord | undefined;
  /** A segment is being closed. */
  #closing: Promise<void> | undefined;
  /** Records that the chain must have before the next segment is closed. */
  #closeAt = 0;

  private constructor(database: Database, { writer, crypto, segments, segmentRecords }: AuditModules) {
    this.#database = database;
    this.#writer = writer;
    this.#crypto = crypto;
    this.#segments = segments;
    this.#segmentRecords = segmentRecords;
  }

  /**
   * Goes on with the chain in `database`.
   * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first broken record, when the last one is not what its hash
   *   says: a chain is never continued from a record that was changed
   */
  static async open(database: Database, modules: AuditModules): Promise<LibsqlAudit> {
    const audit = new LibsqlAudit(database, modules);
    try {
      audit.#head = await audit.#readHead();
    } catch (error) {
      const from = await audit.begin();
      // Names the first broken record rather than the last.
      await verifyChain(modules.crypto, audit.read(), from === undefined ? {} : { from });
      throw error;
    }
    audit.#tip = audit.#head;
    audit.#closeAt = modules.segments.lastSequence + modules.segmentRecords;
    audit.#closeWhenFull();
    return audit;
  }

  append(event: AuditEvent): Promise<AuditRecord> {
    let record: AuditRecord;
    return this.#writer.submit({
      prepare: async () => {
        const { chained, personal, entry, ...named } = await chainRecord(this.#crypto, this.#tip, event);
        record = named.record;
        this.#tip = record;
        const { sequence, previousHash, hash } = record;
        return [
          statement(INSERT, sequence, entry, previousHash, hash),
          ...personal.map(({ field, salt, value }) =>
            statement(INSERT_PERSONAL, sequence, field, salt, value),
          ),
        ];
      },
      conclude: () => {
        this.#head = record;
        this.#closeWhenFull();
        return record;
      },
      abandon: () => {
        this.#tip = this.#head; // the whole commit failed, so every record after the head
      },
    });
  }

  async *read(fromSequence = 1): AsyncGenerator<AuditRecord, void, void> {
    for await (const page of this.#pages(fromSequence)) yield* this.#named(page);
  }

  async head(): Promise<AuditRecord | undefined> {
    return await Promise.resolve(this.#head);
  }

  /** Where the records begin that are here, when older segments were moved elsewhere: what `verifyChain` goes on from. */
  async begin(): Promise<AuditHead | undefined> {
    return await this.#segments.begin();
  }

  /**
   * Erases a name, and with it the keys of the commitments to it: the chain stays as it is and verifies.
   * @returns values that were erased
   */
  async erase(name: string): Promise<number> {
    return await this.#writer.submit({
      prepare: () => [statement(ERASE, name)],
      conclude: ([erased]) => erased?.length ?? 0,
    });
  }

  /** Waits for a segment that is being closed. */
  async settled(): Promise<void> {
    await this.#closing;
  }

  /** Records without names: of the segments, then of the table. A segment may be closed between two pages. */
  async *#pages(fromSequence: number): AsyncGenerator<readonly AuditRecord[], void, void> {
    let next = fromSequence;
    for (;;) {
      if (next <= this.#segments.lastSequence) {
        const last = this.#segments.lastSequence;
        yield* inPages(this.#segments.read(next), last);
        next = last + 1; // whoever moved a segment elsewhere reads on behind it
      }
      const page = this.#database.query(statement(PAGE, next)).map(recordOf);
      yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS) return;
      next = last.sequence + 1;
    }
  }

  *#named(page: readonly AuditRecord[]): Generator<AuditRecord, void, void> {
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last === undefined) return;
    const personal = new Map<number, PersonalValue[]>();
    for (const row of this.#database.query(statement(PERSONAL, first.sequence, last.sequence))) {
      const { sequence, ...value } = personalOf(row);
      personal.set(sequence, [...(personal.get(sequence) ?? []), value]);
    }
    for (const record of page) yield withPersonal(record, personal.get(record.sequence) ?? []);
  }

  /** The last record, checked against its own hash. */
  async #readHead(): Promise<AuditRecord | undefined> {
    const [row] = this.#database.query(statement(LAST));
    if (row === undefined) return undefined;
    const [record] = this.#named([recordOf(row)]);
    if (record !== undefined) await requireGenuine(this.#crypto, record);
    return record;
  }

  #closeWhenFull(): void {
    const { sequence = 0 } = this.#head ?? {};
    if (this.#closing !== undefined || sequence < this.#closeAt) return;
    this.#closing = this.#closeSegment()
      .then(() => {
        this.#closeAt = this.#segments.lastSequence + this.#segmentRecords;
      })
      .catch(() => {
        this.#closeAt = sequence + this.#segmentRecords; // a full disk: the records stay in the table
      })
      .finally(() => {
        this.#closing = undefined;
      });
  }

  async #closeSegment(): Promise<void> {
    const head = this.#head;
    if (head === undefined) return;
    const { sequence: count, hash } = head;
    const records = this.#until(count);
    const { close, took } = await this.#segments.write(records, { count, hash });
    await this.#writer.submit({ prepare: () => [close], conclude: took });
    await this.#takeOut(count);
  }

  async *#until(last: number): AsyncGenerator<AuditRecord, void, void> {
    for await (const page of this.#pages(this.#segments.lastSequence + 1)) {
      for (const record of page) {
        if (record.sequence > last) return;
        yield record;
      }
    }
  }

  /** Takes records out of the table, a page at a time: other writes come in between. What a crash leaves goes with the next segment. */
  async #takeOut(last: number): Promise<void> {
    const [row] = this.#database.query(statement(FIRST));
    for (
      let first = row === undefined ? last : integerColumn(row, "first");
      first < last;
      first += PAGE_ROWS
    ) {
      const until = Math.min(last, first + PAGE_ROWS);
      await this.#writer.submit({ prepare: () => [statement(MOVE, until)], conclude: () => undefined });
    }
  }
}

async function* inPages(
  records: AsyncIterable<AuditRecord>,
  last: number,
): AsyncGenerator<readonly AuditRecord[], void, void> {
  let page: AuditRecord[] = [];
  for await (const record of records) {
    if (record.sequence > last) break;
    page.push(record);
    if (page.length < PAGE_ROWS) continue;
    yield page;
    page = [];
  }
  yield page;
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

function personalOf(row: Row): PersonalValue & { readonly sequence: number } {
  return {
    sequence: integerColumn(row, "sequence"),
    field: textColumn(row, "field"),
    salt: bytesColumn(row, "salt"),
    value: textColumn(row, "value"),
  };
}

/** @throws AuditBrokenError */
async function requireGenuine(crypto: CryptoProvider, record: AuditRecord): Promise<void> {
  const from = { count: record.sequence - 1, hash: record.previousHash };
  await verifyChain(crypto, [record], { from });
}
