import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  importPersonal,
  isAbout,
  type PersonalLine,
  personalLineToJson,
  withPersonal,
} from "@photinus/core/audit";
import { utf8 } from "@photinus/core/bytes";
import type { AuditRecord } from "@photinus/core/platform";
import { openLiveFile, openPlainFile, readAuditFile, replaceFile, textOfFile } from "@photinus/node-platform";

// A site's chain names nobody. Who the names stand for lies in a file beside it, one value a line in the order of the records, from which
// lines can be erased.

/** `audit.jsonl` has `audit-names.jsonl`. */
function namesPath(path: string): string {
  return join(dirname(path), `${basename(path, ".jsonl")}-names.jsonl`);
}

/** Reads the records of a site's audit file, with the names that are kept beside it. @throws AuditBrokenError, StorageError */
export async function* readNamedRecords(path: string): AsyncGenerator<AuditRecord, void, void> {
  const names = readNames(path);
  try {
    let next = await names.next();
    for await (const record of readAuditFile(path)) {
      const own: PersonalLine[] = [];
      while (next.done !== true && next.value.sequence <= record.sequence) {
        if (next.value.sequence === record.sequence) own.push(next.value);
        next = await names.next();
      }
      yield withPersonal(record, own);
    }
  } finally {
    await names.return();
  }
}

/**
 * Erases a name from the records of a site that does not run. The chain stays as it is.
 * @returns values that were erased
 */
export async function eraseNames(path: string, name: string): Promise<number> {
  const kept: string[] = [];
  let erased = 0;
  for await (const line of readNames(path)) {
    if (isAbout(line.value, name)) erased += 1;
    else kept.push(`${personalLineToJson(line)}\n`);
  }
  if (erased > 0) await replaceFile(namesPath(path), utf8(kept.join("")));
  return erased;
}

async function* readNames(path: string): AsyncGenerator<PersonalLine, void, void> {
  const handle = await openPlainFile(namesPath(path), constants.O_RDONLY).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (handle === undefined) return;
  try {
    yield* importPersonal(textOfFile(handle));
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

/** The file of names while a site writes to its chain. */
export class AuditNames {
  readonly #handle: FileHandle;
  #size: number;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens the names beside `path`. Those of records after `lastSequence` were never told of, and go. */
  static async open(path: string, lastSequence: number): Promise<AuditNames> {
    let size = 0;
    for await (const line of readNames(path)) {
      if (line.sequence > lastSequence) break;
      size += utf8(personalLineToJson(line)).byteLength + 1;
    }
    const handle = await openLiveFile(namesPath(path));
    await handle.truncate(size);
    return new AuditNames(handle, size);
  }

  /** Writes values, on the disk when it resolves. {@link AuditNames.keep} or {@link AuditNames.drop} ends it. */
  async write(lines: readonly PersonalLine[]): Promise<number> {
    if (lines.length === 0) return this.#size;
    const bytes = utf8(lines.map((line) => `${personalLineToJson(line)}\n`).join(""));
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
    return this.#size + bytes.byteLength;
  }

  /** The records of what was written are on the disk. @param size what `write` told */
  keep(size: number): void {
    this.#size = size;
  }

  /** They are not: what was written goes. */
  async drop(): Promise<void> {
    await this.#handle.truncate(this.#size).catch(() => undefined); // the next opening does it
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
