import type { Bytes } from "./bytes.ts";

/**
 * Bytes as a string of as many characters: for digests and ids that are kept for each of thousands of sessions. 32 bytes
 * are 48 bytes of memory like this, and 232 as an array. Not for secrets, which a string holds for good.
 */
export function packBytes(bytes: Bytes): string {
  // As one list of arguments: spread, it takes five times as long.
  const packed: unknown = Reflect.apply(String.fromCharCode, undefined, bytes);
  return String(packed);
}

/** What {@link packBytes} packed, in new memory. */
export function unpackBytes(packed: string): Bytes {
  const bytes = new Uint8Array(packed.length);
  for (let index = 0; index < packed.length; index++) bytes[index] = packed.charCodeAt(index);
  return bytes;
}
