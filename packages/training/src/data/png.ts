import { type Bytes, concatBytes, crc32, decompress } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { malformed } from "./idx.ts";
import { MAX_PICTURE_PIXELS, type Picture } from "./picture.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** Whether bytes begin as a PNG file. */
export const isPng = (bytes: Bytes): boolean => SIGNATURE.every((byte, index) => bytes[index] === byte);

/** What a pixel consists of, by its colour type (PNG, third edition, section 11.2.1), and in which depths. */
const COLOUR_TYPES: ReadonlyMap<number, { readonly samples: number; readonly depths: readonly number[] }> =
  new Map([
    [0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
    [2, { samples: 3, depths: [8, 16] }],
    [3, { samples: 1, depths: [1, 2, 4, 8] }],
    [4, { samples: 2, depths: [8, 16] }],
    [6, { samples: 4, depths: [8, 16] }],
  ]);
const [COLOURED, PALETTE, COLOURED_ALPHA] = [2, 3, 6];

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  readonly samples: number;
}

interface Chunk {
  readonly type: string;
  readonly data: Bytes;
}

/**
 * Reads a PNG picture (W3C, "Portable Network Graphics", third edition): every type and depth, but no interlacing. Chunks that say how it
 * should look on a screen are passed over, packed ones unread. The size is known before anything is unpacked, and nothing
 * unpacks to more.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when it is damaged, interlaced, or larger than is read
 */
export async function parsePng(bytes: Bytes, name: string): Promise<Picture> {
  if (!isPng(bytes)) malformed(name, "it does not begin as a PNG file");
  const chunks = chunksOf(bytes, name);
  const header = headerOf(chunks[0], name);
  const lineBytes = Math.ceil((header.width * header.samples * header.depth) / 8);
  const lines = await unpack(chunks, { name, size: header.height * (lineBytes + 1) });
  unfilter(lines, { name, lineBytes, pixelBytes: Math.max(1, (header.samples * header.depth) / 8) });
  const palette = chunks.find(({ type }) => type === "PLTE")?.data;
  const transparent = chunks.find(({ type }) => type === "tRNS")?.data;
  if (header.type === PALETTE && palette === undefined) malformed(name, "it has no palette");
  return pictureOf(lines, header, { lineBytes, palette, transparent, name });
}

function chunksOf(bytes: Bytes, name: string): readonly Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) malformed(name, `its ${type} is damaged`);
    chunks.push({ type, data: bytes.subarray(at + 8, end) });
    if (type === "IEND") return chunks;
    at = end + 4;
  }
  return malformed(name, "it is cut off");
}

function headerOf(chunk: Chunk | undefined, name: string): Header {
  if (chunk?.type !== "IHDR" || chunk.data.length !== 13) malformed(name, "it has no header");
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth = 0, type = 0, compression, filter, interlace] = chunk.data.subarray(8);
  const colours = COLOUR_TYPES.get(type);
  if (colours === undefined || !colours.depths.includes(depth) || compression !== 0 || filter !== 0) {
    malformed(name, `colours of type ${type} and ${depth} bits`);
  }
  if (interlace !== 0) malformed(name, "it is interlaced: save it without");
  if (width === 0 || height === 0 || width * height > MAX_PICTURE_PIXELS) {
    malformed(name, `${width} x ${height} pixels, at most ${MAX_PICTURE_PIXELS}: make it smaller`);
  }
  return { width, height, depth, type, samples: colours.samples };
}

/** zlib's header (RFC 1950) and checksum stand around the deflated lines; each chunk has a checksum of its own already. */
async function unpack(
  chunks: readonly Chunk[],
  { name, size }: { readonly name: string; readonly size: number },
): Promise<Bytes> {
  const packed = concatBytes(...chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const [method = 0, flags = 0] = packed;
  if (packed.length < 6 || (method & 15) !== 8 || (flags & 32) !== 0)
    malformed(name, "its pixels are packed otherwise");
  try {
    const lines = await decompress(packed.subarray(2, -4), "deflate-raw", size);
    if (lines.length === size) return lines;
  } catch (cause) {
    throw new TrainingError("ERR_DATA_MALFORMED", `${name}: its pixels do not unpack to its size`, { cause });
  }
  return malformed(name, "it has fewer pixels than its header says");
}

/** Filters of section 9: each byte was written as its difference to what its neighbours let expect. */
function unfilter(lines: Bytes, { name, lineBytes, pixelBytes }: LineOptions): void {
  let above: Bytes = new Uint8Array(lineBytes);
  for (let start = 0; start < lines.length; start += lineBytes + 1) {
    const filter = lines[start] ?? 0;
    if (filter > 4) malformed(name, `a line has the filter ${filter}`);
    const line = lines.subarray(start + 1, start + 1 + lineBytes);
    if (filter !== 0) unfilterLine(line, { filter, above, pixelBytes });
    above = line;
  }
}

interface LineOptions {
  readonly name: string;
  readonly lineBytes: number;
  readonly pixelBytes: number;
}

function unfilterLine(
  line: Bytes,
  {
    filter,
    above,
    pixelBytes,
  }: { readonly filter: number; readonly above: Bytes; readonly pixelBytes: number },
): void {
  for (let at = 0; at < line.length; at++) {
    const left = line[at - pixelBytes] ?? 0;
    const corner = above[at - pixelBytes] ?? 0;
    line[at] = (line[at] ?? 0) + expected(filter, { left, above: above[at] ?? 0, corner });
  }
}

function expected(filter: number, near: Readonly<Record<"left" | "above" | "corner", number>>): number {
  const { left, above, corner } = near;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(guess - value));
  if (toLeft !== undefined && toLeft <= (toAbove ?? 0) && toLeft <= (toCorner ?? 0)) return left;
  return (toAbove ?? 0) <= (toCorner ?? 0) ? above : corner;
}

interface Colours {
  readonly lineBytes: number;
  readonly palette: Bytes | undefined;
  readonly transparent: Bytes | undefined;
  readonly name: string;
}

function pictureOf(lines: Bytes, header: Header, colours: Colours): Picture {
  const { width, height, depth, type } = header;
  const channels = type === COLOURED || type === PALETTE || type === COLOURED_ALPHA ? 3 : 1;
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const sample = sampleReader(lines.subarray(y * (colours.lineBytes + 1) + 1), depth);
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      const into = pixels.subarray(at, at + channels);
      if (type === PALETTE) copyPaletteColour(colours, sample(x), into);
      else copyColour(header, { sample, x, into });
    }
  }
  return { width, height, channels, pixels };
}

interface Pixel {
  readonly sample: (index: number) => number;
  readonly x: number;
  readonly into: Bytes;
}

function copyColour({ depth, samples }: Header, { sample, x, into }: Pixel): void {
  const most = 2 ** depth - 1;
  const hasAlpha = samples > into.length;
  const alpha = hasAlpha ? sample(x * samples + samples - 1) / most : 1;
  for (let channel = 0; channel < into.length; channel++) {
    into[channel] = onWhite((sample(x * samples + channel) / most) * 255, alpha);
  }
}

const onWhite = (value: number, alpha: number): number => Math.round(alpha * value + (1 - alpha) * 255);

function copyPaletteColour({ palette, transparent, name }: Colours, index: number, into: Bytes): void {
  const colour = palette?.subarray(index * 3, index * 3 + 3);
  if (colour?.length !== 3) malformed(name, `a pixel has the colour ${index}, which its palette has not`);
  const alpha = (transparent?.[index] ?? 255) / 255;
  into.set(colour.map((value) => onWhite(value, alpha)));
}

function sampleReader(line: Bytes, depth: number): (index: number) => number {
  if (depth === 8) return (index) => line[index] ?? 0;
  if (depth === 16) return (index) => (line[index * 2] ?? 0) * 256 + (line[index * 2 + 1] ?? 0);
  const inByte = 8 / depth;
  return (index) => {
    const byte = line[Math.floor(index / inByte)] ?? 0;
    return (byte >> (8 - depth * ((index % inByte) + 1))) & (2 ** depth - 1);
  };
}
