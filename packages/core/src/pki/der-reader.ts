import { type Bytes, fromUtf8, toBytes } from "../bytes/index.ts";
import { compareEncodings } from "./der-writer.ts";

/** Certificates nest about ten deep; what goes deeper is made to exhaust a parser. */
const MAX_DEPTH = 24;

const SEQUENCE = 0x30;
const SET = 0x31;

/**
 * Checks that `bytes` are exactly one value in DER and nothing else: definite shortest lengths, no trailing bytes,
 * canonical primitives, no constructed strings, sorted sets. The libraries accept BER, which gives one certificate
 * many encodings and so many digests.
 *
 * @throws RangeError naming the offset of the first fault; the caller gives it its own code
 */
export function requireDer(bytes: Uint8Array): void {
  const end = checkValue(bytes, 0, 0);
  if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes after the value`);
}

/**
 * The encodings inside a constructed value, in order, as views. Call {@link requireDer} on the whole before.
 * @param tag of the value: a SEQUENCE when it is not given
 * @throws RangeError when the value has another tag or ends within a part
 */
export function derChildren(bytes: Uint8Array, tag: number = SEQUENCE): readonly Bytes[] {
  const { tag: present, start, end } = readHeader(bytes, 0);
  if (present !== tag) throw new RangeError(`expected tag ${tag}, got ${present}`);
  const children: Bytes[] = [];
  for (let offset = start; offset < end; ) {
    const next = readHeader(bytes, offset).end;
    children.push(toBytes(bytes.subarray(offset, next)));
    offset = next;
  }
  return children;
}

/** The content of one value, as a view. @throws RangeError when it is not of this tag */
export function derContent(bytes: Uint8Array, tag: number): Bytes {
  const header = readHeader(bytes, 0);
  if (header.tag !== tag) throw new RangeError(`expected tag ${tag}, got ${header.tag}`);
  return toBytes(bytes.subarray(header.start, header.end));
}

/** No object identifier that anybody assigned is longer. */
const MAX_IDENTIFIER_BYTES = 64;

/** The dotted decimals of an OBJECT IDENTIFIER. @throws RangeError when it is none, or of more than 64 bytes */
export function derObjectIdentifier(bytes: Uint8Array): string {
  const content = derContent(bytes, 6);
  if (content.length > MAX_IDENTIFIER_BYTES) throw new RangeError("an overlong object identifier");
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  // X.690, section 8.19.4: the first two numbers stand in one, the first is 2 at most.
  const [joined = 0n, ...rest] = numbers;
  const first = joined < 80n ? joined / 40n : 2n;
  return [first, joined - 40n * first, ...rest].join(".");
}

interface Header {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

function readHeader(bytes: Uint8Array, offset: number): Header {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new RangeError(`value cut off at ${offset}`);
  if ((tag & 0x1f) === 0x1f) throw new RangeError(`tag of many bytes at ${offset}`);
  const { length, start } = readLength(bytes, offset + 1, first);
  const end = start + length;
  if (end > bytes.length) throw new RangeError(`length at ${offset} goes beyond the end`);
  return { tag, start, end };
}

function readLength(
  bytes: Uint8Array,
  offset: number,
  first: number,
): { readonly length: number; readonly start: number } {
  if (first < 0x80) return { length: first, start: offset + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new RangeError(`indefinite or overlong length at ${offset}`);
  let length = 0;
  for (let index = 1; index <= count; index++) {
    const digit = bytes[offset + index];
    if (digit === undefined) throw new RangeError(`length cut off at ${offset}`);
    length = length * 256 + digit;
  }
  if (length < 128 || length < 256 ** (count - 1))
    throw new RangeError(`length at ${offset} is not the shortest`);
  return { length, start: offset + 1 + count };
}

function checkValue(bytes: Uint8Array, offset: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
  const { tag, start, end } = readHeader(bytes, offset);
  if ((tag & 0x20) === 0) checkPrimitive(tag, bytes.subarray(start, end), offset);
  else checkConstructed(bytes, { tag, start, end }, depth);
  return end;
}

function checkConstructed(bytes: Uint8Array, { tag, start, end }: Header, depth: number): void {
  const isUniversal = (tag & 0xc0) === 0;
  if (isUniversal && tag !== SEQUENCE && tag !== SET) throw new RangeError(`string in parts at ${start}`);
  let previous: Uint8Array | undefined;
  for (let offset = start; offset < end; ) {
    const next = checkValue(bytes, offset, depth + 1);
    if (next > end) throw new RangeError(`value at ${offset} goes beyond its parent`);
    const encoding = bytes.subarray(offset, next);
    if (tag === SET && previous !== undefined && compareEncodings(previous, encoding) > 0) {
      throw new RangeError(`set not sorted at ${offset}`);
    }
    previous = encoding;
    offset = next;
  }
}

function checkPrimitive(tag: number, content: Uint8Array, offset: number): void {
  if ((tag & 0xc0) !== 0) return; // [n] IMPLICIT: the type is not known here
  const check = PRIMITIVES.get(tag);
  if (check === undefined) throw new RangeError(`type ${tag} at ${offset} does not occur here`);
  if (!check(content)) throw new RangeError(`value at ${offset} is not canonical`);
}

const PRINTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";

const madeOf = (characters: string): ((content: Uint8Array) => boolean) => {
  const allowed = new Set(Array.from(characters, (character) => character.charCodeAt(0)));
  return (content) => content.every((byte) => allowed.has(byte));
};
const isVisible = (content: Uint8Array): boolean => content.every((byte) => byte >= 0x20 && byte <= 0x7e);
const isTime = (digits: number) => (content: Uint8Array) =>
  content.length === digits + 1 &&
  content.every((byte, index) => (index < digits ? byte >= 0x30 && byte <= 0x39 : byte === 0x5a));

/** Types of certificates, requests, lists, keys and signatures, by their universal tags: when they are canonical. */
const PRIMITIVES: ReadonlyMap<number, (content: Uint8Array) => boolean> = new Map([
  [1, (content) => content.length === 1 && (content[0] === 0 || content[0] === 0xff)], // BOOLEAN
  [2, isShortestInteger], // INTEGER
  [3, isCanonicalBitString], // BIT STRING
  [4, () => true], // OCTET STRING
  [5, (content) => content.length === 0], // NULL
  [6, isCanonicalObjectIdentifier], // OBJECT IDENTIFIER
  [10, isShortestInteger], // ENUMERATED
  [12, isUtf8], // UTF8String
  [18, madeOf("0123456789 ")], // NumericString
  [19, madeOf(PRINTABLE)], // PrintableString
  [20, () => true], // TeletexString
  [22, isVisible], // IA5String
  [23, isTime(12)], // UTCTime
  [24, isTime(14)], // GeneralizedTime
  [26, isVisible], // VisibleString
  [28, (content) => content.length % 4 === 0], // UniversalString
  [30, (content) => content.length % 2 === 0], // BMPString
]);

function isShortestInteger([first, second]: Uint8Array): boolean {
  if (first === undefined) return false;
  if (second === undefined) return true;
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

function isCanonicalBitString(content: Uint8Array): boolean {
  const unused = content[0];
  if (unused === undefined || unused > 7) return false;
  if (content.length === 1) return unused === 0;
  return ((content.at(-1) ?? 0) & ((1 << unused) - 1)) === 0;
}

function isCanonicalObjectIdentifier(content: Uint8Array): boolean {
  if (content.length === 0 || (content.at(-1) ?? 0) >= 0x80) return false;
  return content.every((byte, index) => byte !== 0x80 || (index > 0 && (content[index - 1] ?? 0) >= 0x80));
}

function isUtf8(content: Uint8Array): boolean {
  try {
    fromUtf8(content);
    return true;
  } catch {
    return false;
  }
}
