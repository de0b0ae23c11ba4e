import { type Bytes, equalBytes } from "../bytes/index.ts";
import { derChildren, requireDer } from "./der-reader.ts";

/**
 * True when two encodings are one certificate: the same signed content. Its signature may have another form, (r, n - s)
 * for (r, s), so that the digest of a whole encoding compares only what is in the form that verified chains are kept in
 * (docs/decisions/0008-either-s.md).
 *
 * @param left whose signature was verified by whoever holds it, as the other's
 * @param right likewise
 */
export function isSameCertificate(left: Bytes, right: Bytes): boolean {
  const [content, other] = [contentOf(left), contentOf(right)];
  return content !== undefined && other !== undefined && equalBytes(content, other);
}

function contentOf(der: Bytes): Uint8Array | undefined {
  try {
    requireDer(der);
    return derChildren(der)[0];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
