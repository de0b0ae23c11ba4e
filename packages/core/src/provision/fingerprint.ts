import { toHex } from "../bytes/index.ts";

/** A digest as people compare it: hexadecimal in groups of four. @param digest such as SHA-256 of a key */
export function formatFingerprint(digest: Uint8Array): string {
  return toHex(digest)
    .replace(/(.{4})(?=.)/g, "$1 ")
    .toUpperCase();
}
