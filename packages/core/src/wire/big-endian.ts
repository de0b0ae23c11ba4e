import type { Bytes } from "../bytes/index.ts";

/** Two bytes, most significant first. @param value 0 to 65 535 */
export function u16(value: number): Bytes {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value);
  return bytes;
}

/** Four bytes, most significant first. @param value 0 to 4 294 967 295 */
export function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Eight bytes, most significant first. @param value a safe integer >= 0 */
export function u64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/**
 * The nonce of AES-GCM in Noise (revision 34, section 12.4) and in everything that Photinus encrypts by index:
 * 4 zero bytes, then the counter as u64.
 */
export function counterNonce(counter: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter));
  return nonce;
}
