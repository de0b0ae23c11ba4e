import { type Bytes, crc32, decompress, fromUtf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { KIT_LIMITS, type KitFiles, LOCAL_FOLDER } from "./kit-files.ts";

/** Signatures of PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;

/** No kit is larger, packed or not. */
export const MAX_KIT_ZIP_BYTES: number = 8 * 1_048_576;

/** A file shrinks by no more than this: certificates and JSON come to about a third. */
const MAX_EXPANSION = 100;

const STORED = 0;
const DEFLATED = 8;
/** Bit 3 says that lengths follow the data, bits 1 and 2 how hard it was packed, bit 11 that names are UTF-8; no other. */
const ADMITTED_FLAGS = 0b1000_0000_1110;

/**
 * Reads the files of a startup kit from a zip file, without what lies in `local/`. It may hold one folder around all.
 * Sizes are compared with the limits before anything is unpacked, and nothing grows beyond the size that it claims.
 *
 * @throws ProvisionError `ERR_KIT_UNREADABLE` for a name that leads out of the folder or occurs twice, a link, an encrypted
 *   entry, several parts, zip64, more than a kit may hold, entries that overlap, or content that is not what the directory says
 */
export async function readKitZip(zip: Bytes): Promise<KitFiles> {
  if (zip.length > MAX_KIT_ZIP_BYTES) throw refused(`a zip file of ${zip.length} bytes`);
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const entries = readDirectory({ zip, view });
  requireApart(entries);
  const files = new Map<string, Bytes>();
  for (const entry of withoutFolder(entries)) {
    if (entry.name.startsWith(LOCAL_FOLDER) || entry.name.endsWith("/")) continue;
    if (files.has(entry.name)) throw refused(`${entry.name} occurs twice`);
    files.set(entry.name, await contentOf(entry, zip));
  }
  return files;
}

interface Source {
  readonly zip: Bytes;
  readonly view: DataView;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly headerAt: number;
  /** Where its packed content begins. */
  readonly contentAt: number;
}

const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

/** A comment, several parts, or anything before or behind the archive is nothing that a kit needs. */
function readDirectory(source: Source): readonly Entry[] {
  const { zip, view } = source;
  const endAt = zip.length - END_BYTES;
  if (endAt < 0 || view.getUint32(endAt, true) !== END_OF_DIRECTORY) {
    throw refused("not a zip file, or something follows it");
  }
  const [part, partOfDirectory, here, total] = [4, 6, 8, 10].map((at) => view.getUint16(endAt + at, true));
  const [size = 0, start = 0] = [12, 16].map((at) => view.getUint32(endAt + at, true));
  if (part !== 0 || partOfDirectory !== 0 || here !== total) throw refused("a zip file in several parts");
  // zip64 writes all ones here, which are beyond every limit.
  const most = 4 * KIT_LIMITS.files;
  if (total === undefined || total > most || start + size !== endAt) {
    throw refused(`a directory that is not whole, or more than ${most} entries`);
  }
  const entries: Entry[] = [];
  let at = start;
  for (let index = 0; index < total; index++) {
    const { entry, nextAt } = readEntry(source, { at, endAt });
    entries.push(entry);
    at = nextAt;
  }
  if (at !== endAt) throw refused("a directory with something behind it");
  return entries;
}

function readEntry(
  source: Source,
  { at, endAt }: { readonly at: number; readonly endAt: number },
): { readonly entry: Entry; readonly nextAt: number } {
  const { view } = source;
  if (at + CENTRAL_BYTES > endAt || view.getUint32(at, true) !== CENTRAL_HEADER) {
    throw refused("a directory that is not whole");
  }
  const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
  const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
  const nextAt = at + CENTRAL_BYTES + nameLength + extraLength + commentLength;
  if (nextAt > endAt) throw refused("a directory that is not whole");
  const name = readName(source, at + CENTRAL_BYTES, nameLength);
  const fields = {
    name,
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedSize: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    mode: view.getUint32(at + 38, true) >>> 16,
    headerAt: view.getUint32(at + 42, true),
  };
  requireAdmitted(fields);
  return { entry: { ...fields, contentAt: requireLocalHeader(source, fields) }, nextAt };
}

function readName({ zip }: Source, at: number, length: number): string {
  let name: string;
  try {
    name = fromUtf8(zip.subarray(at, at + length));
  } catch (cause) {
    throw refused("a name that is not UTF-8", cause);
  }
  const parts = (name.endsWith("/") ? name.slice(0, -1) : name).split("/");
  // A file of a kit is one name; a folder may stand around all, and local/ may hold folders.
  const isPlain = parts.every((part) => /^[A-Za-z0-9@%+_-][A-Za-z0-9@%+._-]{0,127}$/.test(part));
  if (length > 512 || !isPlain)
    throw refused(`a name that no file of a kit has: ${JSON.stringify(name.slice(0, 80))}`);
  return name;
}

interface Fields extends Omit<Entry, "contentAt"> {
  readonly flags: number;
  readonly mode: number;
}

/** The kind of file in a Unix mode (stat.h): plain, a folder, or not said. */
const KINDS: ReadonlySet<number> = new Set([0, 0o040000, 0o100000]);

function requireAdmitted({ name, flags, method, mode, size, packedSize }: Fields): void {
  if ((flags & 1) !== 0) throw refused(`${name} is encrypted`);
  if ((flags & ~ADMITTED_FLAGS) !== 0) throw refused(`${name} is packed in a way that no kit is`);
  if (!KINDS.has(mode & 0o170000)) throw refused(`${name} is a link or a device`);
  if (method !== STORED && method !== DEFLATED) throw refused(`${name} is packed by method ${method}`);
  if (method === STORED && size !== packedSize) throw refused(`${name} has two sizes`);
  if (size > KIT_LIMITS.fileBytes) throw refused(`${name} is larger than 1 MiB`);
  if (size > MAX_EXPANSION * Math.max(packedSize, 64)) throw refused(`${name} grows too much when unpacked`);
}

/** What the entry says itself has to agree with the directory: readers differ in which of the two they believe. */
function requireLocalHeader({ zip, view }: Source, fields: Fields): number {
  const { headerAt, name, flags, method } = fields;
  if (headerAt + LOCAL_BYTES > zip.length || view.getUint32(headerAt, true) !== LOCAL_HEADER) {
    throw refused(`${name} is not where the directory says`);
  }
  const nameLength = view.getUint16(headerAt + 26, true);
  const contentAt = headerAt + LOCAL_BYTES + nameLength + view.getUint16(headerAt + 28, true);
  const isSame =
    view.getUint16(headerAt + 6, true) === flags &&
    view.getUint16(headerAt + 8, true) === method &&
    readName({ zip, view }, headerAt + LOCAL_BYTES, nameLength) === name;
  const sizesFollow = (flags & 8) !== 0;
  const ownSizes = [14, 18, 22].map((offset) => view.getUint32(headerAt + offset, true));
  const isSized = [fields.crc, fields.packedSize, fields.size].every(
    (value, index) => ownSizes[index] === value || (sizesFollow && ownSizes[index] === 0),
  );
  if (!isSame || !isSized) throw refused(`${name} and the directory contradict each other`);
  if (contentAt + fields.packedSize > zip.length) throw refused(`${name} is cut off`);
  return contentAt;
}

/** Entries that share bytes make a small file unpack to a large one (Fifield, "A better zip bomb", WOOT 2019). */
function requireApart(entries: readonly Entry[]): void {
  const ordered = entries.toSorted((left, right) => left.headerAt - right.headerAt);
  let end = 0;
  let total = 0;
  for (const { name, headerAt, contentAt, packedSize, size } of ordered) {
    if (headerAt < end) throw refused(`${name} overlaps another entry`);
    end = contentAt + packedSize;
    total += size;
  }
  if (total > MAX_KIT_ZIP_BYTES) throw refused(`${total} bytes when unpacked`);
}

/** The entries as they are called inside the folder that stands around all, if one does. */
function withoutFolder(entries: readonly Entry[]): readonly Entry[] {
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

async function contentOf(
  { name, method, crc, packedSize, size, contentAt }: Entry,
  zip: Bytes,
): Promise<Bytes> {
  const packed = zip.subarray(contentAt, contentAt + packedSize);
  const content = method === STORED ? packed.slice() : await inflated(packed, { name, size });
  if (content.length !== size || crc32(content) !== crc) {
    throw refused(`${name} is not what the directory says`);
  }
  return content;
}

async function inflated(packed: Bytes, { name, size }: Pick<Entry, "name" | "size">): Promise<Bytes> {
  try {
    return await decompress(packed, "deflate-raw", size);
  } catch (cause) {
    throw refused(`${name} cannot be unpacked to the size that it claims`, cause);
  }
}

function refused(detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_UNREADABLE", `the zip file: ${detail}`, { cause });
}
