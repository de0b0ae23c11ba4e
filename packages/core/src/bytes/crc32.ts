import type { Bytes } from "./bytes.ts";

/** Reflected polynomial of ISO 3309, as zip and gzip use it (RFC 1952, section 8). */
const POLYNOMIAL = 0xedb88320;

/** CRC-32 of `bytes`: a checksum against accidents, no protection against anybody. */
export function crc32(bytes: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  return crc;
});
