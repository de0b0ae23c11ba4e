import type { Bytes } from "../bytes/index.ts";
import type { CryptoProvider, SecretKey } from "../platform/index.ts";
import { FRAME_KIND, PREFIX_BYTES, prefixOf } from "./frame.ts";

const KEY_BYTES = 32;
const NOTHING: Bytes = new Uint8Array(0);

/** The nonce that no counter ever reaches: 4 zero bytes, then 2^64 - 1. */
const LAST_NONCE: Bytes = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);

/** Bytes of an inner REKEY frame. */
export const REKEY_BYTES: number = PREFIX_BYTES;

/** REKEY (kind 9): a prefix, nothing else. */
export function writeRekey(): Bytes {
  return prefixOf(FRAME_KIND.rekey, { header: 0, tag: 0, payload: 0 });
}

/**
 * REKEY of Noise (revision 34, sections 4.2 and 11.3): the first 32 bytes of AES-256-GCM under the old key, of 32 zero
 * bytes, without associated data. Whoever learns the new key does not learn the old one, which is forgotten.
 */
export async function nextKey(key: SecretKey, crypto: CryptoProvider): Promise<SecretKey> {
  const sealed = await crypto.aesGcmSeal(key, LAST_NONCE, new Uint8Array(KEY_BYTES), NOTHING);
  const next = await crypto.importAesGcmKey(sealed.subarray(0, KEY_BYTES));
  sealed.fill(0);
  crypto.forgetAesGcmKey?.(key);
  return next;
}
