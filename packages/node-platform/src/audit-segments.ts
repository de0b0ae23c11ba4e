import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { importAudit } from "@photinus/core/audit";
import { StorageError } from "@photinus/core/errors";
import type { AuditRecord } from "@photinus/core/platform";

const ENDING = ".jsonl";
/** Digits of the largest safe integer: the order of names is that of records. */
const DIGITS = 16;

/** Where the records of a full file go: `audit.0000000000000123.jsonl` ends with record 123. */
export function auditSegmentPath(path: string, lastSequence: number): string {
  const stem = path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path;
  return `${stem}.${String(lastSequence).padStart(DIGITS, "0")}${ENDING}`;
}

/** Number of the last record of a segment. */
function lastSequenceOf(segment: string): number {
  return Number(segment.slice(-ENDING.length - DIGITS, -ENDING.length));
}

/**
 * Reads the records of the segments of `path` that hold record `from` or later ones; `path` itself is not read.
 * @throws AuditBrokenError naming the first line that is no record
 */
export async function* readAuditSegments(
  path: string,
  from: number,
): AsyncGenerator<AuditRecord, void, void> {
  for (const segment of await segmentsOf(path)) {
    if (lastSequenceOf(segment) < from) continue;
    const handle = await openPlainFile(segment, constants.O_RDONLY);
    try {
      for await (const record of importAudit(textOfFile(handle))) if (record.sequence >= from) yield record;
    } finally {
      await handle.close();
    }
  }
}

/** The files that came before `path`, in order of their records. */
async function segmentsOf(path: string): Promise<readonly string[]> {
  const stem = basename(path, ENDING);
  const isSegment = (name: string): boolean =>
    name.startsWith(`${stem}.`) && /^\.\d{16}\.jsonl$/.test(name.slice(stem.length));
  const names = await readdir(dirname(path)).catch(() => []); // it has none
  return names
    .filter(isSegment)
    .sort()
    .map((name) => join(dirname(path), name));
}

/**
 * Reads the records of a site's audit file, as an export, after those of the segments beside it.
 * @throws AuditBrokenError naming the first line that is no record
 */
export async function* readAuditFile(path: string): AsyncGenerator<AuditRecord, void, void> {
  const handle = await openPlainFile(path, constants.O_RDONLY);
  try {
    yield* importAudit(textOf(path, handle));
  } finally {
    await handle.close();
  }
}

async function* textOf(path: string, live: FileHandle): AsyncGenerator<string, void, void> {
  const { ino } = await live.stat();
  for (const segment of await segmentsOf(path)) {
    const handle = await openPlainFile(segment, constants.O_RDONLY);
    try {
      if ((await handle.stat()).ino === ino) continue; // it became a segment since it was opened: it comes last
      yield* textOfFile(handle);
    } finally {
      await handle.close();
    }
  }
  yield* textOfFile(live);
}

/** What a file holds, from its beginning, in parts. */
export async function* textOfFile(handle: FileHandle): AsyncGenerator<string, void, void> {
  for await (const part of handle.createReadStream({ encoding: "utf8", autoClose: false }))
    yield String(part);
}

/** Opens the file that is written, which is made when it is missing. @throws StorageError */
export async function openLiveFile(path: string): Promise<FileHandle> {
  return await openPlainFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND);
}

/** Closes a full file under the name of its last record and begins the next one. The chain goes on in it. */
export async function beginSegment(
  path: string,
  full: { readonly handle: FileHandle; readonly lastSequence: number },
): Promise<FileHandle> {
  await rename(path, auditSegmentPath(path, full.lastSequence));
  const handle = await openLiveFile(path);
  await syncFolder(dirname(path)); // both names last before a record does
  await full.handle.close();
  return handle;
}

/** Names in a folder that were made or changed last. */
export async function syncFolder(folder: string): Promise<void> {
  const names = await open(folder, constants.O_RDONLY);
  try {
    await names.sync();
  } finally {
    await names.close();
  }
}

/** Opens a file for its owner only, not through a link. @throws StorageError `ERR_STORAGE_UNAVAILABLE` */
export async function openPlainFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", `${path} is no plain file that can be opened`, {
      cause,
    });
  }
}
