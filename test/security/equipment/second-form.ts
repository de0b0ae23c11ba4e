import { type Bytes, concatBytes, fromHex, toBytes, toHex } from "@photinus/core/bytes";

/** Order of P-256 (SP 800-186, section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * A certificate with n - s in place of s in its ECDSA P-256 signature, which verifies as well: its holder needs no
 * issuer for that, only arithmetic.
 */
export function secondForm(certificate: Bytes): Bytes {
  const [tbs, algorithm, signature] = children(certificate);
  if (!tbs || !algorithm || !signature) throw new RangeError("not a certificate");
  const [r, s] = children(contentOf(signature).subarray(1));
  if (!r || !s) throw new RangeError("not an ECDSA signature");
  const other = ORDER - BigInt(`0x${toHex(contentOf(s))}`);
  const digits = fromHex(other.toString(16).padStart(64, "0"));
  const positive = (digits[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits;
  const mirrored = tlv(0x30, concatBytes(r, tlv(2, positive)));
  return tlv(0x30, concatBytes(tbs, algorithm, tlv(3, concatBytes(Uint8Array.of(0), mirrored))));
}

interface Header {
  readonly start: number;
  readonly end: number;
}

function headerOf(bytes: Bytes, at: number): Header {
  const first = bytes[at + 1] ?? 0;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + count;
  const digits = [...bytes.subarray(at + 2, start)];
  return { start, end: start + (count === 0 ? first : digits.reduce((sum, digit) => sum * 256 + digit, 0)) };
}

function contentOf(value: Bytes): Bytes {
  const { start, end } = headerOf(value, 0);
  return toBytes(value.subarray(start, end));
}

function children(value: Bytes): readonly Bytes[] {
  const { start, end } = headerOf(value, 0);
  const parts: Bytes[] = [];
  for (let at = start; at < end; ) {
    const next = headerOf(value, at).end;
    parts.push(toBytes(value.subarray(at, next)));
    at = next;
  }
  return parts;
}

function tlv(tag: number, content: Bytes): Bytes {
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...header), content);
}
