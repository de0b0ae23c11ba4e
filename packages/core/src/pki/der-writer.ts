import { type Bytes, concatBytes, fromHex, utf8 } from "../bytes/index.ts";

/** One DER value: tag, shortest length, content (X.690, section 10). */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return concatBytes(Uint8Array.of(tag), lengthBytes(length), ...content);
}

function lengthBytes(length: number): Bytes {
  if (length < 128) return Uint8Array.of(length);
  const digits = length.toString(16);
  const bytes = fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
  return concatBytes(Uint8Array.of(0x80 | bytes.length), bytes);
}

/** SEQUENCE of values in order. */
export function sequence(...values: readonly Uint8Array[]): Bytes {
  return tlv(0x30, ...values);
}

/** SET OF values, in the order of their encodings as DER wants. */
export function setOf(...values: readonly Uint8Array[]): Bytes {
  return tlv(0x31, ...values.toSorted(compareEncodings));
}

/** Order of encodings in a SET OF (X.690, section 11.6). */
export function compareEncodings(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** [n] around whole values. */
export function explicit(number: number, ...values: readonly Uint8Array[]): Bytes {
  return tlv(0xa0 | number, ...values);
}

/** [n] in place of a primitive value's own tag. */
export function implicit(number: number, content: Uint8Array): Bytes {
  return tlv(0x80 | number, content);
}

/** INTEGER from unsigned big-endian bytes or a safe number >= 0. */
export function integer(value: number | Uint8Array): Bytes {
  const bytes = typeof value === "number" ? numberBytes(value) : value;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return (digits[0] ?? 0) >= 0x80 ? tlv(2, Uint8Array.of(0), digits) : tlv(2, digits);
}

function numberBytes(value: number): Bytes {
  const digits = value.toString(16);
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
}

/** OBJECT IDENTIFIER from dotted decimals. */
export function objectIdentifier(dotted: string): Bytes {
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  return tlv(6, ...[first * 40n + second, ...rest].map(base128));
}

function base128(value: bigint): Bytes {
  const digits = [Number(value & 127n)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 127n) | 128);
  return Uint8Array.from(digits);
}

/** BOOLEAN TRUE, the only one that DER writes where FALSE is the default. */
export const TRUE: Bytes = Uint8Array.of(1, 1, 0xff);

/** NULL. */
export const NULL: Bytes = Uint8Array.of(5, 0);

/** OCTET STRING. */
export function octetString(content: Uint8Array): Bytes {
  return tlv(4, content);
}

/** BIT STRING of whole bytes, or with `unused` bits left out at the end. */
export function bitString(content: Uint8Array, unused = 0): Bytes {
  return tlv(3, Uint8Array.of(unused), content);
}

/** UTF8String. */
export function utf8String(text: string): Bytes {
  return tlv(12, utf8(text));
}

/** Time of a certificate: UTCTime to 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5), whole seconds. */
export function time(atMs: number): Bytes {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const year = Number(digits.slice(0, 4));
  if (year < 1950 || year > 9999) throw new RangeError(`no certificate time: ${digits}`);
  return year < 2050 ? tlv(23, utf8(digits.slice(2))) : tlv(24, utf8(digits));
}
