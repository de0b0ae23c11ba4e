import { crc32, deflateRawSync } from "node:zlib";
import { type Bytes, concatBytes, toBytes, utf8 } from "@photinus/core/bytes";
import { KIT_FILE, type KitFiles } from "@photinus/core/provision";

/** Written for Unix by version 2.0 of the format, which every unpacker reads. */
const MADE_BY_UNIX = (3 << 8) | 20;
const NEEDED_VERSION = 20;
const DEFLATED = 8;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1 January 1980, the first day of the format: a kit says itself when it was made. */
const FIRST_DAY = 0x0021;

/**
 * A startup kit as a zip file (PKWARE's APPNOTE 6.3.10), with the modes that its files have in a folder.
 * @param folder name of the folder around all
 */
export function writeKitZip(folder: string, files: KitFiles): Bytes {
  const parts: Bytes[] = [];
  const directory: Bytes[] = [];
  let at = 0;
  for (const [path, content] of files) {
    const name = utf8(`${folder}/${path}`);
    const packed = toBytes(deflateRawSync(content));
    const common = commonFields({ name, content, packed });
    const local = concatBytes(uint32(0x04034b50), common, uint16(0), name, packed);
    directory.push(centralHeader({ common, name, mode: path === KIT_FILE.start ? 0o700 : 0o600, at }));
    parts.push(local);
    at += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const count = uint16(files.size);
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(size), uint32(at), uint16(0)];
  return concatBytes(...parts, ...directory, ...end);
}

interface Content {
  readonly name: Bytes;
  readonly content: Bytes;
  readonly packed: Bytes;
}

/** What local and central header have in common, up to the length of the name. */
function commonFields({ name, content, packed }: Content): Bytes {
  return concatBytes(
    ...[uint16(NEEDED_VERSION), uint16(FLAGS), uint16(DEFLATED), uint16(0), uint16(FIRST_DAY)],
    ...[uint32(crc32(content)), uint32(packed.length), uint32(content.length), uint16(name.length)],
  );
}

interface CentralFields {
  readonly common: Bytes;
  readonly name: Bytes;
  readonly mode: number;
  readonly at: number;
}

const PLAIN_FILE = 0o100000;

function centralHeader({ common, name, mode, at }: CentralFields): Bytes {
  const none = uint16(0); // extra field, comment, part, internal attributes
  const attributes = uint32(((PLAIN_FILE | mode) << 16) >>> 0);
  return concatBytes(
    ...[uint32(0x02014b50), uint16(MADE_BY_UNIX), common, none, none, none, none],
    ...[attributes, uint32(at), name],
  );
}

function uint16(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function uint32(value: number): Bytes {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
