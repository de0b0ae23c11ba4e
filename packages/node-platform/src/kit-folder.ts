import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Bytes, toBytes, toHex } from "@photinus/core/bytes";
import { ProvisionError } from "@photinus/core/errors";
import { KIT_FILE, KIT_LIMITS, type KitFiles, LOCAL_FOLDER } from "@photinus/core/provision";
import { nodeCrypto } from "./node-crypto.ts";

/**
 * Reads the files of a startup kit, without what lies in `local/`.
 *
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when the folder is missing, or holds a link, a folder, a device or a file
 *   larger than a kit's may be: nothing outside the folder is ever read
 */
export async function readKitFolder(folder: string): Promise<KitFiles> {
  const entries = await entriesOf(folder);
  const own = entries.filter((entry) => !(entry.isDirectory() && `${entry.name}/` === LOCAL_FOLDER));
  if (own.length > KIT_LIMITS.files) throw unreadable(folder, `more than ${KIT_LIMITS.files} files`);
  const files = new Map<string, Bytes>();
  for (const entry of own) {
    if (!entry.isFile()) throw unreadable(join(folder, entry.name), "not a plain file");
    files.set(entry.name, await readPlainFile(join(folder, entry.name)));
  }
  return files;
}

/**
 * Writes a startup kit: a folder for its owner only (0700) with files for their owner only (0600; the start script
 * 0700). The folder appears complete or not at all.
 *
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when the folder exists: a kit is never written over another
 */
export async function writeKitFolder(folder: string, files: KitFiles): Promise<void> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  if (await exists(folder)) throw unreadable(folder, "exists already");
  const staging = join(parent, `.${basename(folder)}.${toHex(nodeCrypto().randomBytes(8))}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    await mkdir(join(staging, LOCAL_FOLDER), { mode: 0o700 });
    for (const [path, content] of files)
      await writePrivateFile(join(staging, requirePlainName(path)), content);
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw unreadable(folder, "no folder that can be read", cause);
  }
}

/** Opens without following a link: what was listed as a plain file may have been exchanged meanwhile. */
async function readPlainFile(path: string): Promise<Bytes> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(path, "not a plain file that can be read", cause);
  }
  try {
    const { size } = await handle.stat();
    if (size > KIT_LIMITS.fileBytes) throw unreadable(path, "larger than 1 MiB");
    const content = await readUpTo(handle, KIT_LIMITS.fileBytes + 1);
    if (content.length > KIT_LIMITS.fileBytes) throw unreadable(path, "larger than 1 MiB");
    return content;
  } finally {
    await handle.close();
  }
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Bytes> {
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await handle.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return toBytes(buffer.slice(0, length));
}

async function writePrivateFile(path: string, content: Bytes): Promise<void> {
  const mode = basename(path) === KIT_FILE.start ? 0o700 : 0o600;
  const handle = await open(path, "wx", mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A kit lies in one folder, with one inside: its paths are names. */
function requirePlainName(path: string): string {
  if (/^(local\/)?[a-z0-9][a-z0-9.-]{0,62}$/.test(path)) return path;
  throw new RangeError(`${path} is not the name of a file of a kit`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false; // cannot be looked at: writing will tell why
  }
}

function unreadable(path: string, detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_UNREADABLE", `${path}: ${detail}`, { cause });
}
