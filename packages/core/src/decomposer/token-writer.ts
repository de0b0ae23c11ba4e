import { type Bytes, utf8 } from "../bytes/index.ts";
import { isShortAscii } from "./ascii.ts";

const FIRST_CAPACITY = 256;
/** Lengths of extensions that have a form of their own, from first byte 0xd4 on. */
const FIXED_EXTENSIONS: readonly number[] = [1, 2, 4, 8, 16];

/**
 * Writes MessagePack value by value, each in its shortest form, into memory that grows. It checks nothing: what may
 * be written is decided by `encode` and `writePositional`.
 */
export class TokenWriter {
  #bytes: Bytes;
  #view: DataView;
  #length = 0;

  /** @param capacity bytes at the start; default 256 */
  constructor(capacity: number = FIRST_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written, in memory of its own. */
  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  /** Appends nil. */
  nil(): void {
    this.#uint8(0xc0);
  }

  /** Appends true or false. */
  boolean(value: boolean): void {
    this.#uint8(value ? 0xc3 : 0xc2);
  }

  /** Appends a number: safe integers as integers; -0, fractions, infinities, NaN and large values as float64. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#integer(value);
    else {
      this.#uint8(0xcb);
      // The canonical NaN, whatever bits the engine keeps in `value`.
      if (Number.isNaN(value)) this.#room(8).setBigUint64(this.#reserve(8), 0x7ff8000000000000n);
      else this.#room(8).setFloat64(this.#reserve(8), value);
    }
  }

  /** Appends an integer of -2^63 to 2^64 - 1. */
  bigint(value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) this.#integer(number);
    else if (value < 0n) {
      this.#uint8(0xd3);
      this.#room(8).setBigInt64(this.#reserve(8), value);
    } else {
      this.#uint8(0xcf);
      this.#room(8).setBigUint64(this.#reserve(8), value);
    }
  }

  /** Appends a well-formed string. */
  text(value: string): void {
    if (isShortAscii(value)) this.#shortAscii(value);
    else this.#longText(value);
  }

  #shortAscii(value: string): void {
    const { length } = value;
    if (length < 0x20) this.#uint8(0xa0 | length);
    else {
      this.#uint8(0xd9);
      this.#uint8(length);
    }
    const at = this.#reserve(length);
    for (let index = 0; index < length; index++) this.#bytes[at + index] = value.charCodeAt(index);
  }

  #longText(value: string): void {
    const encoded = utf8(value);
    if (encoded.byteLength < 0x20) this.#uint8(0xa0 | encoded.byteLength);
    else this.#head([0xd9, 0xda, 0xdb], encoded.byteLength);
    this.#raw(encoded);
  }

  /** Appends a byte string. */
  bytes(value: Uint8Array): void {
    this.#head([0xc4, 0xc5, 0xc6], value.byteLength);
    this.#raw(value);
  }

  /** Appends the head of an array of `length` values. */
  array(length: number): void {
    if (length < 0x10) this.#uint8(0x90 | length);
    else this.#head([undefined, 0xdc, 0xdd], length);
  }

  /** Appends the head of a map of `length` pairs. */
  map(length: number): void {
    if (length < 0x10) this.#uint8(0x80 | length);
    else this.#head([undefined, 0xde, 0xdf], length);
  }

  /**
   * Appends an extension, whose body is all that `writeBody` appends.
   * @param code -128 to 127
   */
  extension(code: number, writeBody: () => void): void {
    const start = this.#length;
    writeBody();
    const length = this.#length - start;
    // Only the end of the body tells the length of its head: the body moves behind it.
    const head = new TokenWriter(8);
    const fixed = FIXED_EXTENSIONS.indexOf(length);
    if (fixed >= 0) head.#uint8(0xd4 + fixed);
    else head.#head([0xc7, 0xc8, 0xc9], length);
    head.#uint8(code & 0xff);
    this.#reserve(head.#length);
    this.#bytes.copyWithin(start + head.#length, start, start + length);
    this.#bytes.set(head.finish(), start);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, at);
  }

  #integer(value: number): void {
    if (value >= 0) this.#unsigned(value);
    else if (value >= -0x20) this.#uint8(value & 0xff);
    else if (value >= -0x80) {
      this.#uint8(0xd0);
      this.#room(1).setInt8(this.#reserve(1), value);
    } else if (value >= -0x8000) {
      this.#uint8(0xd1);
      this.#room(2).setInt16(this.#reserve(2), value);
    } else if (value >= -0x80000000) {
      this.#uint8(0xd2);
      this.#room(4).setInt32(this.#reserve(4), value);
    } else {
      this.#uint8(0xd3);
      this.#room(8).setBigInt64(this.#reserve(8), BigInt(value));
    }
  }

  #unsigned(value: number): void {
    if (value < 0x80) this.#uint8(value);
    else if (value <= 0xffffffff) this.#head([0xcc, 0xcd, 0xce], value);
    else {
      this.#uint8(0xcf);
      this.#room(8).setBigUint64(this.#reserve(8), BigInt(value));
    }
  }

  /** A first byte and `value` in as few bytes as hold it: 1, 2 or 4. */
  #head(firstBytes: readonly [number | undefined, number, number], value: number): void {
    const [one, two, four] = firstBytes;
    if (value <= 0xff && one !== undefined) {
      this.#uint8(one);
      this.#uint8(value);
    } else if (value <= 0xffff) {
      this.#uint8(two);
      this.#room(2).setUint16(this.#reserve(2), value);
    } else {
      this.#uint8(four);
      this.#room(4).setUint32(this.#reserve(4), value);
    }
  }

  #uint8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  /** Makes room for `length` bytes more. @returns the view to write them by: an earlier one may be of old memory */
  #room(length: number): DataView {
    const needed = this.#length + length;
    if (needed > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return this.#view;
  }

  /** @returns where the `length` bytes lie that are now part of the output */
  #reserve(length: number): number {
    this.#room(length);
    const at = this.#length;
    this.#length += length;
    return at;
  }
}
