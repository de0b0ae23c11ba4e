import { type Bytes, fromUtf8 } from "../bytes/index.ts";
import { DecomposerError } from "../errors/index.ts";
import { isAscii, readShortAscii } from "./ascii.ts";

/** What the next value of a MessagePack string of bytes is. */
export type TokenKind =
  | "nil"
  | "boolean"
  | "integer"
  | "float"
  | "text"
  | "bytes"
  | "array"
  | "map"
  | "extension";

/** One extension: its code, and a reader of exactly its body. */
export interface ExtensionToken {
  /** -128 to 127 */
  readonly code: number;
  readonly body: TokenReader;
}

/** Ranges of first bytes, in order: up to which byte, what it begins. `undefined` is never valid here. */
const KINDS: readonly (readonly [last: number, kind: TokenKind | undefined])[] = [
  [0x7f, "integer"],
  [0x8f, "map"],
  [0x9f, "array"],
  [0xbf, "text"],
  [0xc0, "nil"],
  [0xc1, undefined],
  [0xc3, "boolean"],
  [0xc6, "bytes"],
  [0xc9, "extension"],
  [0xca, undefined], // float32: numbers that are not integers travel as float64 only
  [0xcb, "float"],
  [0xd3, "integer"],
  [0xd8, "extension"],
  [0xdb, "text"],
  [0xdd, "array"],
  [0xdf, "map"],
  [0xff, "integer"],
];

const KIND_OF_BYTE: readonly (TokenKind | undefined)[] = KINDS.flatMap(([last, kind], index) =>
  Array<TokenKind | undefined>(last - (KINDS[index - 1]?.[0] ?? -1)).fill(kind),
);

/** The one form of NaN: quiet, positive, no payload. */
const NAN_BITS = 0x7ff8000000000000n;

/**
 * Reads MessagePack (specification of 2013) value by value and takes the shortest form of each only, so that a value
 * has one encoding. It allocates nothing from a declared length before it knows that so many bytes are there.
 * Every method throws DecomposerError `ERR_DECODE_REFUSED`.
 */
export class TokenReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #where: () => string;
  #offset = 0;

  /**
   * @param bytes read, not copied
   * @param where names the place of the value being read, for messages
   */
  constructor(bytes: Bytes, where: () => string = () => "") {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /** Bytes that were not read yet. */
  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** The kind of the next value, which is not consumed. */
  peek(): TokenKind {
    const first = this.#bytes[this.#offset];
    if (first === undefined) this.refuse("the bytes end before the value");
    const kind = KIND_OF_BYTE[first];
    if (kind === undefined) this.refuse(`first byte 0x${first.toString(16)} is not allowed`);
    return kind;
  }

  /** Consumes nil. */
  nil(): void {
    this.#expect("nil");
    this.#offset += 1;
  }

  /** Consumes true or false. */
  boolean(): boolean {
    this.#expect("boolean");
    return this.#uint(1) === 0xc3;
  }

  /** Consumes an integer; a bigint when it lies outside the safe range. */
  integer(): number | bigint {
    this.#expect("integer");
    const first = this.#uint(1);
    if (first <= 0x7f) return first;
    if (first >= 0xe0) return first - 0x100;
    switch (first) {
      case 0xcc:
        return this.#atLeast(this.#uint(1), 0x80);
      case 0xcd:
        return this.#atLeast(this.#uint(2), 0x100);
      case 0xce:
        return this.#atLeast(this.#uint(4), 0x10000);
      case 0xcf:
        return this.#wideUnsigned(this.#take(8));
      case 0xd0:
        return this.#below(this.#view.getInt8(this.#take(1)), -0x20);
      case 0xd1:
        return this.#below(this.#view.getInt16(this.#take(2)), -0x80);
      case 0xd2:
        return this.#below(this.#view.getInt32(this.#take(4)), -0x8000);
      default:
        return this.#wideNegative(this.#take(8));
    }
  }

  /** Consumes a float64: a number that is not a safe integer. NaN in its one form only. */
  float(): number {
    this.#expect("float");
    this.#offset += 1;
    const at = this.#take(8);
    const value = this.#view.getFloat64(at);
    if (Number.isNaN(value) && this.#view.getBigUint64(at) !== NAN_BITS) this.refuse("a second form of NaN");
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.refuse("a safe integer as float64");
    return value;
  }

  /** Consumes a string; UTF-8 only. */
  text(maxBytes: number = Number.POSITIVE_INFINITY): string {
    const length = this.#textLength(maxBytes);
    const at = this.#take(length);
    return readShortAscii(this.#bytes, at, at + length) ?? this.#utf8(at, length);
  }

  /** Consumes a string as {@link text} does, and makes none of it. */
  skipText(): void {
    const length = this.#textLength(Number.POSITIVE_INFINITY);
    const at = this.#take(length);
    if (!isAscii(this.#bytes, at, at + length)) this.#utf8(at, length);
  }

  /** Consumes a byte string. @returns a view into the bytes that are read */
  bytes(maxBytes: number = Number.POSITIVE_INFINITY): Bytes {
    this.#expect("bytes");
    const length = this.#length(this.#uint(1) - 0xc4, 0);
    if (length > maxBytes) this.refuse(`at most ${maxBytes} bytes here, got ${length}`);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Consumes the head of an array. @returns how many values follow; at least so many bytes are there */
  arrayLength(): number {
    this.#expect("array");
    const first = this.#uint(1);
    const length = first <= 0x9f ? first & 0x0f : this.#length(first - 0xdc + 1, 0x10);
    if (length > this.remaining) this.refuse(`${length} values declared, ${this.remaining} bytes left`);
    return length;
  }

  /** Consumes the head of a map. @returns how many pairs follow; at least twice so many bytes are there */
  mapLength(): number {
    this.#expect("map");
    const first = this.#uint(1);
    const length = first <= 0x8f ? first & 0x0f : this.#length(first - 0xde + 1, 0x10);
    if (2 * length > this.remaining) this.refuse(`${length} pairs declared, ${this.remaining} bytes left`);
    return length;
  }

  /** Consumes an extension. */
  extension(): ExtensionToken {
    this.#expect("extension");
    const first = this.#uint(1);
    const length = first >= 0xd4 ? 1 << (first - 0xd4) : this.#length(first - 0xc7, 0);
    if (first < 0xd4 && [1, 2, 4, 8, 16].includes(length)) this.refuse("not the shortest form");
    const code = this.#view.getInt8(this.#take(1));
    const at = this.#take(length);
    return { code, body: new TokenReader(this.#bytes.subarray(at, at + length), this.#where) };
  }

  /** @throws DecomposerError `ERR_DECODE_REFUSED` unless every byte was read */
  end(): void {
    if (this.remaining > 0) this.refuse(`${this.remaining} bytes follow the value`);
  }

  /** Ends the reading. @throws DecomposerError `ERR_DECODE_REFUSED` with the place and `problem` */
  refuse(problem: string, cause?: unknown): never {
    const where = this.#where();
    const place = where === "" ? `byte ${this.#offset}` : `${where} (byte ${this.#offset})`;
    throw new DecomposerError("ERR_DECODE_REFUSED", `${place}: ${problem}`, { cause });
  }

  #textLength(maxBytes: number): number {
    this.#expect("text");
    const first = this.#uint(1);
    const length = first <= 0xbf ? first & 0x1f : this.#length(first - 0xd9, 0x20);
    if (length > maxBytes) this.refuse(`a string has at most ${maxBytes} bytes here, got ${length}`);
    return length;
  }

  #utf8(at: number, length: number): string {
    try {
      return fromUtf8(this.#bytes.subarray(at, at + length));
    } catch (cause) {
      return this.refuse("the string is not UTF-8", cause);
    }
  }

  #expect(kind: TokenKind): void {
    const found = this.peek();
    if (found !== kind) this.refuse(`expected ${kind}, got ${found}`);
  }

  /** @returns where `length` bytes begin that are consumed by this */
  #take(length: number): number {
    if (length > this.remaining) this.refuse(`${length} bytes declared, ${this.remaining} left`);
    const at = this.#offset;
    this.#offset += length;
    return at;
  }

  #uint(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** A length in 1, 2 or 4 bytes, of which `fixed` values would have had a shorter form. */
  #length(width: number, fixed: number): number {
    if (width === 0) return this.#atLeast(this.#uint(1), fixed);
    // Arrays and maps have no one-byte length: their forms go from 15 values to 16 bits at once.
    if (width === 1) return this.#atLeast(this.#uint(2), fixed === 0x10 ? fixed : 0x100);
    return this.#atLeast(this.#uint(4), 0x10000);
  }

  #atLeast(value: number, least: number): number {
    if (value < least) this.refuse("not the shortest form");
    return value;
  }

  #below(value: number, bound: number): number {
    if (value >= bound) this.refuse("not the shortest form");
    return value;
  }

  #wideUnsigned(at: number): number | bigint {
    const high = this.#view.getUint32(at);
    if (high === 0) this.refuse("not the shortest form");
    // Times and counters are of this range: no bigint is made of them.
    if (high <= 0x1f_ffff) return high * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    return this.#view.getBigUint64(at);
  }

  #wideNegative(at: number): number | bigint {
    const value = this.#view.getBigInt64(at);
    if (value >= -0x80000000n) this.refuse("not the shortest form");
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}
