import { type Bytes, concatBytes } from "@photinus/core/bytes";

/** One MessagePack value taken apart: arrays, maps (keys and values in turn) and extensions have items. */
export interface PackNode {
  readonly kind: "array" | "map" | "extension" | "scalar";
  readonly items: readonly PackNode[];
  /** A scalar as it is encoded. */
  readonly encoded: Bytes;
  /** Code of an extension. */
  readonly code: number;
}

const NOTHING: Bytes = new Uint8Array(0);
const MAX_ITEMS = 20_000;

/** The values in `bytes`; `undefined` when they are not MessagePack to their end. */
export function parsePack(bytes: Bytes): readonly PackNode[] | undefined {
  try {
    const reader = new Reader(bytes);
    const nodes: PackNode[] = [];
    while (!reader.atEnd) nodes.push(reader.node(0));
    return nodes;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Length of what follows a lead byte, for scalars of a fixed size. */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 192: 0, 194: 0, 195: 0, 202: 4, 203: 8, 204: 1, 205: 2, 206: 4, 207: 8 },
  ...{ 208: 1, 209: 2, 210: 4, 211: 8 },
};
/** Bytes of the length, for byte strings and texts. */
const COUNTED: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 };

class Reader {
  readonly #bytes: Bytes;
  #offset = 0;
  #items = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#bytes.byteLength;
  }

  node(depth: number): PackNode {
    if (depth > 40 || ++this.#items > MAX_ITEMS) throw new RangeError("too much");
    const start = this.#offset;
    const lead = this.#uint(1);
    const length = this.#containerLength(lead);
    if (length !== undefined) {
      const items = Array.from({ length }, () => this.node(depth + 1));
      const isArray = (lead & 0xf0) === 0x90 || lead === 0xdc || lead === 0xdd;
      return { kind: isArray ? "array" : "map", items, encoded: NOTHING, code: 0 };
    }
    const extension = this.#extensionLength(lead);
    if (extension !== undefined) return this.#extension(extension);
    this.#take(this.#scalarLength(lead));
    return { kind: "scalar", items: [], encoded: this.#bytes.subarray(start, this.#offset), code: 0 };
  }

  #extension(length: number): PackNode {
    const code = this.#uint(1);
    const body = this.#take(length);
    return { kind: "extension", items: parsePack(body) ?? [], encoded: body, code };
  }

  #containerLength(lead: number): number | undefined {
    if ((lead & 0xf0) === 0x90) return lead & 15;
    if ((lead & 0xf0) === 0x80) return (lead & 15) * 2;
    const factor = lead >= 0xde ? 2 : 1;
    if (lead >= 0xdc && lead <= 0xdf) {
      const count = this.#uint(lead % 2 === 0 ? 2 : 4) * factor;
      if (count > this.#bytes.byteLength) throw new RangeError("too many");
      return count;
    }
    return undefined;
  }

  #extensionLength(lead: number): number | undefined {
    if (lead >= 0xd4 && lead <= 0xd8) return 2 ** (lead - 0xd4);
    return lead >= 0xc7 && lead <= 0xc9 ? this.#uint(2 ** (lead - 0xc7)) : undefined;
  }

  #scalarLength(lead: number): number {
    if (lead < 0x80 || lead >= 0xe0) return 0;
    if ((lead & 0xe0) === 0xa0) return lead & 31;
    const counted = COUNTED[lead];
    if (counted !== undefined) return this.#uint(counted);
    const fixed = FIXED[lead];
    if (fixed === undefined) throw new RangeError("no MessagePack");
    return fixed;
  }

  #uint(length: number): number {
    return this.#take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  #take(length: number): Bytes {
    const end = this.#offset + length;
    if (end > this.#bytes.byteLength) throw new RangeError("cut off");
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

/** The values in the shortest forms of their containers. */
export function encodePack(nodes: readonly PackNode[]): Bytes {
  return concatBytes(...nodes.map(encodeNode));
}

function encodeNode({ kind, items, encoded, code }: PackNode): Bytes {
  switch (kind) {
    case "scalar":
      return encoded;
    case "array":
      return concatBytes(containerHead(0x90, 0xdc, items.length), encodePack(items));
    case "map":
      return concatBytes(containerHead(0x80, 0xde, items.length >> 1), encodePack(items));
    case "extension": {
      const body = items.length > 0 ? encodePack(items) : encoded;
      return concatBytes(extensionHead(body.byteLength), Uint8Array.of(code), body);
    }
  }
}

function containerHead(small: number, lead: number, length: number): Bytes {
  if (length < 16) return Uint8Array.of(small | length);
  if (length < 65_536) return Uint8Array.of(lead, length >> 8, length & 255);
  return Uint8Array.of(lead + 1, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}

function extensionHead(length: number): Bytes {
  const fixed = [1, 2, 4, 8, 16].indexOf(length);
  if (fixed >= 0) return Uint8Array.of(0xd4 + fixed);
  if (length < 256) return Uint8Array.of(0xc7, length);
  if (length < 65_536) return Uint8Array.of(0xc8, length >> 8, length & 255);
  return Uint8Array.of(0xc9, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}
