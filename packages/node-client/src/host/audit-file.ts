import { type FileHandle, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import {
  auditRecordToJson,
  type ChainedRecord,
  chainRecord,
  MAX_AUDIT_LINE_LENGTH,
  verifyChain,
} from "@photinus/core/audit";
import { type Bytes, utf8 } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";
import type { AuditEvent, AuditRecord, AuditStore, CryptoProvider } from "@photinus/core/platform";
import { beginSegment, openLiveFile, syncFolder } from "@photinus/node-platform";
import { AuditNames, readNamedRecords } from "./audit-names.ts";

/** Name of the file in the state folder of a site. */
export const AUDIT_FILE = "audit.jsonl";

/** A file of this size is closed, and the chain goes on in the next one, bytes. */
const SEGMENT_BYTES = 16 * 2 ** 20;

/** What {@link openAuditFile} works with. */
export interface AuditFileOptions {
  /** Hashes. */
  readonly crypto: CryptoProvider;
  /** Size at which a file is closed and the chain goes on in the next one, bytes. Default 16 MiB. */
  readonly segmentBytes?: number;
}

/**
 * Opens the audit role in a file of one record a line, which is made when it is missing. Its whole chain is verified: it is
 * never continued from a record that was changed. A line that a crash cut was never acknowledged, and goes.
 *
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN`; StorageError `ERR_STORAGE_UNAVAILABLE`
 */
export async function openAuditFile(
  path: string,
  { crypto, segmentBytes = SEGMENT_BYTES }: AuditFileOptions,
): Promise<AuditFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await openLiveFile(path);
  try {
    const size = await cutTornLine(handle);
    let last: AuditRecord | undefined;
    await verifyChain(
      crypto,
      noted(readNamedRecords(path), (record) => (last = record)),
    );
    const names = await AuditNames.open(path, last?.sequence ?? 0);
    await syncFolder(dirname(path)); // the name of a new file lasts too
    return new AuditFile({ path, handle, names, size, last, segmentBytes }, crypto);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly names: AuditNames;
  readonly size: number;
  readonly last: AuditRecord | undefined;
  readonly segmentBytes: number;
}

interface Waiting {
  readonly event: AuditEvent;
  readonly resolve: (record: AuditRecord) => void;
  readonly reject: (error: unknown) => void;
}

/** The audit role of a site. What was appended at once is one write and one sync. */
export class AuditFile implements AuditStore {
  readonly #path: string;
  readonly #segmentBytes: number;
  readonly #crypto: CryptoProvider;
  readonly #names: AuditNames;
  #handle: FileHandle;
  #size: number;
  #last: AuditRecord | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /** Use {@link openAuditFile}, which checks what is there. */
  constructor({ path, handle, names, size, last, segmentBytes }: OpenFile, crypto: CryptoProvider) {
    this.#path = path;
    this.#names = names;
    this.#handle = handle;
    this.#size = size;
    this.#last = last;
    this.#segmentBytes = segmentBytes;
    this.#crypto = crypto;
  }

  append(event: AuditEvent): Promise<AuditRecord> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async *read(fromSequence = 1): AsyncGenerator<AuditRecord, void, void> {
    for await (const record of readNamedRecords(this.#path)) {
      if (record.sequence >= fromSequence) yield record;
    }
  }

  head(): Promise<AuditRecord | undefined> {
    return Promise.resolve(this.#last);
  }

  /** Waits for what is under way and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
    await this.#names.close();
  }

  /** Never rejects: each append learns what became of it. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#write(batch);
    }
    this.#writing = undefined;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const chained: (ChainedRecord & Pick<Waiting, "resolve">)[] = [];
    const failed: Waiting["reject"][] = [];
    for (const { event, resolve, reject } of batch) {
      try {
        const previous = chained.at(-1)?.record ?? this.#last;
        chained.push({ ...(await chainRecord(this.#crypto, previous, event)), resolve });
        failed.push(reject);
      } catch (error) {
        reject(error);
      }
    }
    if (chained.length === 0) return;
    try {
      await this.#toDisk(chained);
      this.#last = chained.at(-1)?.record;
      for (const { record, resolve } of chained) resolve(record);
    } catch (cause) {
      const error = new StorageError("ERR_STORAGE_UNAVAILABLE", "the audit file cannot be written", {
        cause,
      });
      for (const reject of failed) reject(error);
    }
  }

  async #toDisk(records: readonly ChainedRecord[]): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size !== this.#size) throw new Error(`another program wrote to it: ${size} bytes, not ${this.#size}`);
    if (size >= this.#segmentBytes && this.#last !== undefined) {
      this.#handle = await beginSegment(this.#path, {
        handle: this.#handle,
        lastSequence: this.#last.sequence,
      });
      this.#size = 0;
    }
    const bytes = utf8(records.map(({ chained }) => `${auditRecordToJson(chained)}\n`).join(""));
    const names = records.flatMap(({ chained: { sequence }, personal }) =>
      personal.map((value) => ({ sequence, ...value })),
    );
    // The two files wait for the disk at once. Names without their records go at the next opening.
    const [kept, chain] = await Promise.allSettled([this.#names.write(names), this.#append(bytes)]);
    if (kept.status === "fulfilled" && chain.status === "fulfilled") {
      this.#size += bytes.byteLength;
      this.#names.keep(kept.value);
      return;
    }
    await this.#handle.truncate(this.#size).catch(() => undefined); // a part of a line would end the chain
    await this.#names.drop();
    throw chain.status === "rejected" ? chain.reason : kept.status === "rejected" && kept.reason;
  }

  async #append(bytes: Bytes): Promise<void> {
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
  }
}

/** @returns bytes that stay */
async function cutTornLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const length = Math.min(size, MAX_AUDIT_LINE_LENGTH);
  const tail = new Uint8Array(length);
  await handle.read(tail, 0, length, size - length);
  const end = tail.lastIndexOf(0x0a) + 1;
  const whole = size - length + end;
  // No line is that long: whatever this is, no crash left it, and reading it tells where the records end.
  if (whole === size || (end === 0 && size > length)) return size;
  await handle.truncate(whole);
  return whole;
}

async function* noted<T>(items: AsyncIterable<T>, note: (item: T) => void): AsyncGenerator<T, void, void> {
  for await (const item of items) {
    note(item);
    yield item;
  }
}
