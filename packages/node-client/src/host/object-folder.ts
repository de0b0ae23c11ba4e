import { constants } from "node:fs";
import { link, open, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Bytes, equalBytes, toHex } from "@photinus/core/bytes";
import type { ObjectRecords } from "@photinus/core/envelope";
import { StorageError } from "@photinus/core/errors";
import { nodeCrypto, readSmallFile, replaceFile } from "@photinus/node-platform";

const ENDING = ".seen";
/** A digest, a name and numbers. */
const MAX_RECORD_BYTES = 1024;

/**
 * Keeps what a site has seen as files of a folder, which is made with the first of them. A record appears and changes
 * as a whole, and is on the disk when the call resolves. What cannot be read or written fails as StorageError
 * `ERR_SEEN_OBJECTS_CORRUPT` or `ERR_STORAGE_UNAVAILABLE`.
 *
 * @param folder of one site; of two processes that begin the same job at once one is told that it is there
 */
export function objectFolder(folder: string): ObjectRecords {
  const pathOf = (name: string): string => join(folder, `${name}${ENDING}`);
  return {
    get: (name) => readRecord(pathOf(name)),
    async list() {
      const records: { readonly name: string; readonly value: Bytes }[] = [];
      // One after another: there may be more of them than a process may hold open.
      for (const name of await namesIn(folder)) {
        const value = await readRecord(pathOf(name));
        if (value !== undefined) records.push({ name, value });
      }
      return records;
    },
    create: (name, value) => onDisk(() => createFile(folder, pathOf(name), value)),
    async replace(name, value, before) {
      const present = await readRecord(pathOf(name));
      if (present === undefined || !equalBytes(present, before)) return false;
      await onDisk(() => replaceFile(pathOf(name), value));
      return true;
    },
    delete: (name) => onDisk(() => rm(pathOf(name), { force: true })),
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", "the folder of what was seen cannot be read", {
      cause: error,
    });
  });
  return all
    .filter((name) => name.endsWith(ENDING) && !name.startsWith("."))
    .map((name) => name.slice(0, -ENDING.length));
}

async function readRecord(path: string): Promise<Bytes | undefined> {
  try {
    return await readSmallFile(path, MAX_RECORD_BYTES);
  } catch (error) {
    if (error instanceof Error && codeOf(error.cause) === "ENOENT") return undefined;
    // A server may be told this: where the folder is, only the cause says.
    throw new StorageError("ERR_SEEN_OBJECTS_CORRUPT", `${basename(path)} is no record of what was seen`, {
      cause: error,
    });
  }
}

/** @returns false when the file is there, which stays as it is */
async function createFile(folder: string, path: string, value: Bytes): Promise<boolean> {
  const staging = join(folder, `.${toHex(nodeCrypto().randomBytes(8))}`);
  await replaceFile(staging, value);
  try {
    await link(staging, path); // fails when the name is taken, which a rename does not
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(staging, { force: true });
  }
  const names = await open(folder, constants.O_RDONLY);
  try {
    await names.sync(); // the new name lasts too
  } finally {
    await names.close();
  }
  return true;
}

async function onDisk<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", "what was seen cannot be written", { cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
