import type { Bytes } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import { decompress } from "./decompress.ts";
import { fromUtf8 } from "./text.ts";

/** Signatures of PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;

const STORED = 0;
const DEFLATED = 8;
/** Bit 3 says that lengths follow the data, bits 1 and 2 how hard it was packed, bit 11 that names are UTF-8; no other. */
const ADMITTED_FLAGS = 0b1000_0000_1110;

/** What a zip file may hold. */
export interface ZipLimits {
  /** Most entries, folders included. */
  readonly entries: number;
  /** Most bytes of one file when it is unpacked. */
  readonly fileBytes: number;
  /** Most bytes of all files together when they are unpacked. */
  readonly totalBytes: number;
  /** Most times that a file may grow; the format ends at 1 032. */
  readonly expansion: number;
  /** Which names are admitted. */
  readonly isName: (name: string) => boolean;
  /**
   * True where local headers may give their sizes in 64 bits, as NumPy writes them, however small a file is; the directory may not.
   * Default: false.
   */
  readonly hasLongHeaders?: boolean;
}

/** One file or folder of a zip file, as its directory says and its own header confirms. */
export interface ZipEntry {
  /** With `/` between folders, and at the end of a folder. */
  readonly name: string;
  /** 0: as it is; 8: deflated. */
  readonly method: number;
  /** CRC-32 of what it holds. */
  readonly crc: number;
  /** Bytes in the zip file. */
  readonly packedSize: number;
  /** Bytes when it is unpacked. */
  readonly size: number;
  /** Where its local header begins. */
  readonly headerAt: number;
  /** Where its packed content begins. */
  readonly contentAt: number;
}

interface Source {
  readonly zip: Bytes;
  readonly view: DataView;
  readonly limits: ZipLimits;
}

/**
 * Reads the directory of a zip file (PKWARE's APPNOTE 6.3.10). Sizes are compared with the limits before anything is unpacked.
 *
 * @throws RangeError for a name that is not admitted, a link, an encrypted entry, several parts, zip64, more than the limits allow,
 *   entries that overlap, headers that contradict the directory, or anything before or behind the archive
 */
export function readZipDirectory(zip: Bytes, limits: ZipLimits): readonly ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const entries = readDirectory({ zip, view, limits });
  requireApart(entries, limits);
  return entries;
}

/**
 * The content of an entry, in memory of its own. Nothing grows beyond the size that it claims.
 * @throws RangeError when it is not what the directory says
 */
export async function unpackZipEntry(zip: Bytes, entry: ZipEntry): Promise<Bytes> {
  const { name, method, crc, packedSize, size, contentAt } = entry;
  const packed = zip.subarray(contentAt, contentAt + packedSize);
  const content = method === STORED ? new Uint8Array(packed) : await inflated(packed, entry);
  if (content.length !== size || crc32(content) !== crc) {
    throw refused(`${name} is not what the directory says`);
  }
  return content;
}

const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

/** A comment, several parts, or anything before or behind the archive is nothing that anybody needs. */
function readDirectory(source: Source): readonly ZipEntry[] {
  const { zip, view, limits } = source;
  const endAt = zip.length - END_BYTES;
  if (endAt < 0 || view.getUint32(endAt, true) !== END_OF_DIRECTORY) {
    throw refused("not a zip file, or something follows it");
  }
  const [part, partOfDirectory, here, total] = [4, 6, 8, 10].map((at) => view.getUint16(endAt + at, true));
  const [size = 0, start = 0] = [12, 16].map((at) => view.getUint32(endAt + at, true));
  if (part !== 0 || partOfDirectory !== 0 || here !== total) throw refused("a zip file in several parts");
  // zip64 writes all ones here, which are beyond every limit.
  const { entries: most } = limits;
  if (total === undefined || total > most || start + size !== endAt) {
    throw refused(`a directory that is not whole, or more than ${most} entries`);
  }
  const entries: ZipEntry[] = [];
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
): { readonly entry: ZipEntry; readonly nextAt: number } {
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
  requireAdmitted(fields, source.limits);
  return { entry: { ...fields, contentAt: requireLocalHeader(source, fields) }, nextAt };
}

function readName({ zip, limits }: Source, at: number, length: number): string {
  let name: string;
  try {
    name = fromUtf8(zip.subarray(at, at + length));
  } catch (cause) {
    throw refused("a name that is not UTF-8", cause);
  }
  if (length > 512 || !limits.isName(name)) {
    throw refused(`a name that is not admitted: ${JSON.stringify(name.slice(0, 80))}`);
  }
  return name;
}

interface Fields extends Omit<ZipEntry, "contentAt"> {
  readonly flags: number;
  readonly mode: number;
}

/** The kind of file in a Unix mode (stat.h): plain, a folder, or not said. */
const KINDS: ReadonlySet<number> = new Set([0, 0o040000, 0o100000]);

function requireAdmitted({ name, flags, method, mode, size, packedSize }: Fields, limits: ZipLimits): void {
  if ((flags & 1) !== 0) throw refused(`${name} is encrypted`);
  if ((flags & ~ADMITTED_FLAGS) !== 0) throw refused(`${name} is packed in a way that is not admitted`);
  if (!KINDS.has(mode & 0o170000)) throw refused(`${name} is a link or a device`);
  if (method !== STORED && method !== DEFLATED) throw refused(`${name} is packed by method ${method}`);
  if (method === STORED && size !== packedSize) throw refused(`${name} has two sizes`);
  if (size > limits.fileBytes) throw refused(`${name} is larger than ${limits.fileBytes} bytes`);
  if (size > limits.expansion * Math.max(packedSize, 64))
    throw refused(`${name} grows too much when unpacked`);
}

/** What the entry says itself has to agree with the directory: readers differ in which of the two they believe. */
function requireLocalHeader(source: Source, fields: Fields): number {
  const { zip, view, limits } = source;
  const { headerAt, name, flags, method } = fields;
  if (headerAt + LOCAL_BYTES > zip.length || view.getUint32(headerAt, true) !== LOCAL_HEADER) {
    throw refused(`${name} is not where the directory says`);
  }
  const nameLength = view.getUint16(headerAt + 26, true);
  const extraAt = headerAt + LOCAL_BYTES + nameLength;
  const contentAt = extraAt + view.getUint16(headerAt + 28, true);
  if (contentAt + fields.packedSize > zip.length) throw refused(`${name} is cut off`);
  const isSame =
    view.getUint16(headerAt + 6, true) === flags &&
    view.getUint16(headerAt + 8, true) === method &&
    readName(source, headerAt + LOCAL_BYTES, nameLength) === name;
  const sizesFollow = (flags & 8) !== 0;
  const ownSizes = ownSizesOf(view, { headerAt, extraAt, contentAt, isLong: limits.hasLongHeaders === true });
  const isSized = [fields.crc, fields.packedSize, fields.size].every(
    (value, index) => ownSizes[index] === value || (sizesFollow && ownSizes[index] === 0),
  );
  if (!isSame || !isSized) throw refused(`${name} and the directory contradict each other`);
  return contentAt;
}

const IN_64_BITS = 0xffffffff;
/** APPNOTE, section 4.5.3: id 1, then both sizes, of the unpacked content first. */
const LONG_SIZES = 1;
const LONG_SIZES_BYTES = 20;

/** CRC-32, packed size and size as the entry itself says them. */
function ownSizesOf(
  view: DataView,
  {
    headerAt,
    extraAt,
    contentAt,
    isLong,
  }: Readonly<Record<"headerAt" | "extraAt" | "contentAt", number>> & { readonly isLong: boolean },
): readonly number[] {
  const [crc = 0, packedSize = 0, size = 0] = [14, 18, 22].map((offset) =>
    view.getUint32(headerAt + offset, true),
  );
  const isMarked = packedSize === IN_64_BITS && size === IN_64_BITS;
  if (!isLong || !isMarked || contentAt - extraAt < LONG_SIZES_BYTES) return [crc, packedSize, size];
  if (view.getUint16(extraAt, true) !== LONG_SIZES || view.getUint16(extraAt + 2, true) !== 16)
    return [crc, packedSize, size];
  return [crc, ...[12, 4].map((offset) => Number(view.getBigUint64(extraAt + offset, true)))];
}

/** Entries that share bytes make a small file unpack to a large one (Fifield, "A better zip bomb", WOOT 2019). */
function requireApart(entries: readonly ZipEntry[], limits: ZipLimits): void {
  const ordered = entries.toSorted((left, right) => left.headerAt - right.headerAt);
  let end = 0;
  let total = 0;
  for (const { name, headerAt, contentAt, packedSize, size } of ordered) {
    if (headerAt < end) throw refused(`${name} overlaps another entry`);
    end = contentAt + packedSize;
    total += size;
  }
  if (total > limits.totalBytes) throw refused(`${total} bytes when unpacked`);
}

async function inflated(packed: Bytes, { name, size }: Pick<ZipEntry, "name" | "size">): Promise<Bytes> {
  try {
    return await decompress(packed, "deflate-raw", size);
  } catch (cause) {
    throw refused(`${name} cannot be unpacked to the size that it claims`, cause);
  }
}

function refused(detail: string, cause?: unknown): RangeError {
  return new RangeError(detail, { cause });
}
