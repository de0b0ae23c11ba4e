import {
  type Bytes,
  readZipDirectory,
  unpackZipEntry,
  type ZipEntry,
  type ZipLimits,
} from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { KIT_LIMITS, type KitFiles, LOCAL_FOLDER } from "./kit-files.ts";

/** No kit is larger, packed or not. */
export const MAX_KIT_ZIP_BYTES: number = 8 * 1_048_576;

const ZIP_LIMITS: ZipLimits = {
  entries: 4 * KIT_LIMITS.files,
  fileBytes: KIT_LIMITS.fileBytes,
  totalBytes: MAX_KIT_ZIP_BYTES,
  expansion: 100, // certificates and JSON come to about a third
  isName: isNameInKit,
};

/**
 * Reads the files of a startup kit from a zip file, without what lies in `local/`. It may hold one folder around all.
 * Sizes are compared with the limits before anything is unpacked, and nothing grows beyond the size that it claims.
 *
 * @throws ProvisionError `ERR_KIT_UNREADABLE` for a name that leads out of the folder or occurs twice, a link, an encrypted
 *   entry, several parts, zip64, more than a kit may hold, entries that overlap, or content that is not what the directory says
 */
export async function readKitZip(zip: Bytes): Promise<KitFiles> {
  if (zip.length > MAX_KIT_ZIP_BYTES) throw refused(`a zip file of ${zip.length} bytes`);
  try {
    return await filesOf(zip);
  } catch (cause) {
    throw cause instanceof RangeError ? refused(cause.message, cause) : cause;
  }
}

async function filesOf(zip: Bytes): Promise<KitFiles> {
  const entries = readZipDirectory(zip, ZIP_LIMITS);
  const files = new Map<string, Bytes>();
  for (const entry of withoutFolder(entries)) {
    if (entry.name.startsWith(LOCAL_FOLDER) || entry.name.endsWith("/")) continue;
    if (files.has(entry.name)) throw refused(`${entry.name} occurs twice`);
    files.set(entry.name, await unpackZipEntry(zip, entry));
  }
  return files;
}

/** A file of a kit is one name; a folder may stand around all, and local/ may hold folders. */
function isNameInKit(name: string): boolean {
  const parts = (name.endsWith("/") ? name.slice(0, -1) : name).split("/");
  return parts.every((part) => /^[A-Za-z0-9@%+_-][A-Za-z0-9@%+._-]{0,127}$/.test(part));
}

/** The entries as they are called inside the folder that stands around all, if one does. */
function withoutFolder(entries: readonly ZipEntry[]): readonly ZipEntry[] {
  const [first = ""] = entries.map(({ name }) => name.split("/")[0] ?? "");
  const prefix = `${first}/`;
  const isAround = prefix !== LOCAL_FOLDER && entries.every(({ name }) => name.startsWith(prefix));
  const inside = isAround
    ? entries
        .map((entry) => ({ ...entry, name: entry.name.slice(prefix.length) }))
        .filter(({ name }) => name !== "")
    : entries;
  const foreign = inside.find(({ name }) => name.includes("/") && !name.startsWith(LOCAL_FOLDER));
  if (foreign !== undefined) throw refused(`${foreign.name} lies in a folder that no kit has`);
  return inside;
}

function refused(detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_UNREADABLE", `the zip file: ${detail}`, { cause });
}
