import { isIP } from "node:net";
import type { Bytes } from "@photinus/core/bytes";

/** What a PROXY header says. */
export interface ProxyHeader {
  /** Bytes of the header; what follows is the connection's. */
  readonly length: number;
  /** Address of the client; absent when the proxy speaks for itself (LOCAL, UNKNOWN). */
  readonly address: string | undefined;
}

/** Longest header of version 1, its line end included. */
const MAX_LINE_BYTES = 107;
/** Longest header of version 2, with its extensions. */
export const MAX_PROXY_HEADER_BYTES = 1024;

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const FIXED_BYTES = 16;

/**
 * Reads a header of the PROXY protocol, version 1 or 2 (HAProxy, proxy-protocol.txt, sections 2.1 and 2.2).
 * @returns `undefined` when more bytes are needed
 * @throws RangeError when it is no such header
 */
export function readProxyHeader(bytes: Bytes): ProxyHeader | undefined {
  if (bytes.byteLength === 0) return undefined;
  const header = bytes[0] === SIGNATURE[0] ? readBinary(bytes) : readLine(bytes);
  if (header === undefined && bytes.byteLength >= MAX_PROXY_HEADER_BYTES) throw new RangeError("too long");
  return header;
}

/** `PROXY TCP4 client proxy clientPort proxyPort\r\n`, or `PROXY UNKNOWN ...\r\n`. */
function readLine(bytes: Bytes): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf(0x0a);
  const line = String.fromCharCode(...bytes.subarray(0, end < 0 ? MAX_LINE_BYTES : end + 1));
  if (!"PROXY ".startsWith(line.slice(0, 6))) throw new RangeError("no PROXY header");
  if (end < 0) {
    if (bytes.byteLength >= MAX_LINE_BYTES) throw new RangeError("a PROXY line has at most 107 bytes");
    return undefined;
  }
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line)) return { length: end + 1, address: undefined };
  const [, family, address = "", destination = ""] =
    /^PROXY (TCP[46]) (\S+) (\S+) \d{1,5} \d{1,5}\r\n$/.exec(line) ?? [];
  const version = family === "TCP6" ? 6 : 4;
  if (isIP(address) !== version || isIP(destination) !== version) throw new RangeError("no PROXY header");
  return { length: end + 1, address };
}

/** Signature, version and command, family, length, then the addresses and extensions, which are skipped. */
function readBinary(bytes: Bytes): ProxyHeader | undefined {
  const isSignature = SIGNATURE.every((byte, index) => index >= bytes.byteLength || bytes[index] === byte);
  if (!isSignature) throw new RangeError("no PROXY header");
  if (bytes.byteLength < FIXED_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [command, family] = [view.getUint8(12), view.getUint8(13)];
  const length = FIXED_BYTES + view.getUint16(14);
  if ((command !== 0x20 && command !== 0x21) || length > MAX_PROXY_HEADER_BYTES) {
    throw new RangeError("a PROXY header of another version");
  }
  if (bytes.byteLength < length) return undefined;
  if (command === 0x20) return { length, address: undefined };
  const addresses = bytes.subarray(FIXED_BYTES, length);
  if (family === 0x11 && addresses.byteLength >= 12)
    return { length, address: addresses.subarray(0, 4).join(".") };
  if (family === 0x21 && addresses.byteLength >= 36)
    return { length, address: ipv6Of(addresses.subarray(0, 16)) };
  throw new RangeError("a PROXY header of another transport");
}

function ipv6Of(bytes: Bytes): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  return groups.join(":");
}
