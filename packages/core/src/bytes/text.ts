import { type Bytes, toBytes } from "./bytes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 of `text`. */
export function utf8(text: string): Bytes {
  return toBytes(encoder.encode(text));
}

/** @throws TypeError when `bytes` are not UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Bytes that {@link toHex} writes at once: the digits are arguments of one call. */
const HEX_PIECE_BYTES = 1_024;

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length <= HEX_PIECE_BYTES) return hexPiece(bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += HEX_PIECE_BYTES) {
    text += hexPiece(bytes.subarray(start, start + HEX_PIECE_BYTES));
  }
  return text;
}

/** In one piece of memory: a text that was put together digit by digit keeps an object for each step, 1 KiB for a digest. */
function hexPiece(bytes: Uint8Array): string {
  const codes = new Uint8Array(2 * bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    codes[2 * index] = digitOf(byte >> 4);
    codes[2 * index + 1] = digitOf(byte & 15);
  }
  // As one list of arguments: spread, it takes five times as long.
  const text: unknown = Reflect.apply(String.fromCharCode, undefined, codes);
  return String(text);
}

/** ASCII of a hexadecimal digit. */
const digitOf = (value: number): number => (value < 10 ? 48 : 87) + value;

/** @throws RangeError when `text` is not an even number of hexadecimal digits */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError("not hexadecimal");
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The only text that is accepted for some bytes is the one that {@link toBase64Url} writes: unused bits are zero.
 * @throws RangeError when `text` is not base64url without padding
 */
export function fromBase64Url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new RangeError("not base64url");
  const bytes = fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  if (toBase64Url(bytes) !== text) throw new RangeError("not base64url: unused bits are set");
  return bytes;
}

/** Base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** @throws RangeError when `text` is not base64 */
export function fromBase64(text: string): Bytes {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new RangeError("not base64", { cause });
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
