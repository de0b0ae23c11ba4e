import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AuditHead, auditRecordToJson } from "@photinus/core/audit";
import type { AuditRecord } from "@photinus/core/platform";
import { auditSegmentPath, readAuditSegments } from "@photinus/node-platform";
import { bytesColumn, integerColumn } from "./columns.ts";
import { type Database, type Statement, statement } from "./database.ts";
import { makePrivateFolder, syncFolder } from "./folder.ts";

const ALL = "SELECT last_sequence, hash FROM audit_segment ORDER BY last_sequence";
const INSERT = "INSERT INTO audit_segment VALUES (?, ?)";
/** Records that one write to a segment carries. */
const BATCH = 256;

/**
 * Old records of a server's chain, in files of one record a line without names: `audit.<last sequence>.jsonl`. The table says where each
 * ends and with which hash, so that files may be moved to an archive and the rest still verifies.
 */
export class ClosedSegments {
  /** The file that segments are named after; it does not exist itself. */
  readonly #path: string;
  #heads: readonly AuditHead[];

  /** Of the storage folder `folder`. */
  constructor(database: Database, folder: string) {
    this.#path = join(folder, "audit", "audit.jsonl");
    this.#heads = database
      .query(statement(ALL))
      .map((row) => ({ count: integerColumn(row, "last_sequence"), hash: bytesColumn(row, "hash") }));
  }

  /** Last record of the last segment; 0 when there is none. */
  get lastSequence(): number {
    return this.#heads.at(-1)?.count ?? 0;
  }

  /** Records that are in the files, from a sequence on. */
  read(from: number): AsyncGenerator<AuditRecord, void, void> {
    return readAuditSegments(this.#path, from);
  }

  /** Where the records begin that are here: after the segments that were moved elsewhere. */
  async begin(): Promise<AuditHead | undefined> {
    let first: number | undefined;
    for await (const { sequence } of this.read(1)) {
      first = sequence;
      break;
    }
    const moved = this.#heads.filter(({ count }) => first === undefined || count < first);
    return moved.at(-1);
  }

  /**
   * Writes records, which follow the last segment, into the next one: on the disk when it resolves. It takes effect with the statement
   * that is returned; a file without it is written anew.
   */
  async write(
    records: AsyncIterable<AuditRecord>,
    head: AuditHead,
  ): Promise<{ readonly close: Statement; readonly took: () => void }> {
    const target = auditSegmentPath(this.#path, head.count);
    const staging = `${target}.part`;
    await makePrivateFolder(dirname(target));
    try {
      await writeLines(staging, records);
      await rename(staging, target);
    } catch (error) {
      await rm(staging, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
    return {
      close: statement(INSERT, head.count, head.hash),
      took: () => {
        this.#heads = [...this.#heads, head];
      },
    };
  }
}

async function writeLines(path: string, records: AsyncIterable<AuditRecord>): Promise<void> {
  const handle = await open(path, "w", 0o600);
  try {
    let lines: string[] = [];
    for await (const record of records) {
      lines.push(`${auditRecordToJson(record)}\n`);
      if (lines.length < BATCH) continue;
      await handle.appendFile(lines.join(""));
      lines = [];
    }
    await handle.appendFile(lines.join(""));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
