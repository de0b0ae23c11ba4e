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
function segmentPath(path: string, lastSequence: number): string {
  const stem = path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path;
  return `${stem}.${String(lastSequence).padStart(DIGITS, "0")}${ENDING}`;
}

/** The files that came before `path`, in order of their records. */
async function segmentsOf(path: string): Promise<readonly string[]> {
  const stem = basename(path, ENDING);
  const isSegment = (name: string): boolean =>
    name.startsWith(`${stem}.`) && /^\.\d{16}\.jsonl$/.test(name.slice(stem.length));
  const names = await readdir(dirname(path));
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
  const handle = await openPlain(path, constants.O_RDONLY);
  try {
    yield* importAudit(textOf(path, handle));
  } finally {
    await handle.close();
  }
}

async function* textOf(path: string, live: FileHandle): AsyncGenerator<string, void, void> {
  const { ino } = await live.stat();
  for (const segment of await segmentsOf(path)) {
    const handle = await openPlain(segment, constants.O_RDONLY);
    try {
      if ((await handle.stat()).ino === ino) continue; // it became a segment since it was opened: it comes last
      yield* partsOf(handle);
    } finally {
      await handle.close();
    }
  }
  yield* partsOf(live);
}

async function* partsOf(handle: FileHandle): AsyncGenerator<string, void, void> {
  for await (const part of handle.createReadStream({ encoding: "utf8", autoClose: false }))
    yield String(part);
}

/** Opens the file that is written, which is made when it is missing. @throws StorageError */
export async function openLiveFile(path: string): Promise<FileHandle> {
  return await openPlain(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND);
}

/** Closes a full file under the name of its last record and begins the next one. The chain goes on in it. */
export async function beginSegment(
  path: string,
  full: { readonly handle: FileHandle; readonly lastSequence: number },
): Promise<FileHandle> {
  await rename(path, segmentPath(path, full.lastSequence));
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

async function openPlain(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", `${path} is no plain file that can be opened`, {
      cause,
    });
  }
}
