import { type Bytes, concatBytes, crc32, toBytes, utf8 } from "@photinus/core/bytes";

/** An entry as a stranger writes it: every field may lie. */
export interface ForgedEntry {
  readonly name: string | Bytes;
  /** Its name where the content is; the same by default. */
  readonly localName?: string;
  readonly content?: Bytes;
  readonly method?: number;
  readonly flags?: number;
  /** Of Unix. */
  readonly mode?: number;
  readonly size?: number;
  readonly packedSize?: number;
  readonly crc?: number;
  readonly headerAt?: number;
}

/** A zip file (PKWARE's APPNOTE 6.3.10) of these entries, packed by deflate. */
export async function aZip(entries: readonly ForgedEntry[]): Promise<Bytes> {
  const locals: Bytes[] = [];
  const centrals: Bytes[] = [];
  let at = 0;
  for (const entry of entries) {
    const { local, central } = await headersOf(entry, at);
    locals.push(local);
    centrals.push(central);
    at += local.length;
  }
  const directory = concatBytes(...centrals);
  const count = uint16(entries.length);
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(directory.length)];
  return concatBytes(...locals, directory, ...end, uint32(at), uint16(0));
}

async function headersOf(
  entry: ForgedEntry,
  at: number,
): Promise<{ readonly local: Bytes; readonly central: Bytes }> {
  const { content = utf8("x"), method = 8, flags = 0x0800, mode = 0o100600 } = entry;
  const packed = await deflated(content);
  const { crc = crc32(content), packedSize = packed.length, size = content.length } = entry;
  const name = bytesOf(entry.name);
  const localName = bytesOf(entry.localName ?? entry.name);
  const fields = (length: number): Bytes =>
    concatBytes(
      ...[uint16(20), uint16(flags), uint16(method), uint16(0), uint16(0x21)],
      ...[uint32(crc), uint32(packedSize), uint32(size), uint16(length)],
    );
  const none = uint16(0);
  const attributes = uint32((mode << 16) >>> 0);
  return {
    local: concatBytes(uint32(0x04034b50), fields(localName.length), none, localName, packed),
    central: concatBytes(
      ...[uint32(0x02014b50), uint16((3 << 8) | 20), fields(name.length), none, none, none, none],
      ...[attributes, uint32(entry.headerAt ?? at), name],
    ),
  };
}

async function deflated(content: Bytes): Promise<Bytes> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return toBytes(await new Response(stream).arrayBuffer());
}

const bytesOf = (text: string | Bytes): Bytes => (typeof text === "string" ? utf8(text) : text);

function uint16(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function uint32(value: number): Bytes {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
