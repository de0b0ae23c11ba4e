import { type Bytes, concatBytes, toBytes, utf8 } from "../bytes/index.ts";
import { implicit, sequence } from "./der-writer.ts";
import type { PkiLibraries } from "./libraries.ts";

/** The names of subjectAltName that Photinus reads (RFC 5280, section 4.2.1.6). */
export interface SubjectAlternativeNames {
  /** URIs; exactly one in a certificate of Photinus. */
  readonly uris: readonly string[];
  /** Host names, for TLS. */
  readonly dnsNames: readonly string[];
  /** Addresses of 4 or 16 bytes, for TLS. */
  readonly ipAddresses: readonly Bytes[];
  /** How many names of other kinds there are. */
  readonly others: number;
}

// Tag numbers of GeneralName.
const DNS_NAME = 2;
const URI = 6;
const IP_ADDRESS = 7;

/** Reads the content of the extension, which was checked to be DER. */
export function readSubjectAlternativeNames(
  der: Bytes,
  { pkijs, asn1 }: PkiLibraries,
): SubjectAlternativeNames {
  const { altNames } = pkijs.AltName.fromBER(der);
  const texts = (type: number): string[] =>
    altNames.filter((name) => name.type === type).map(({ value }: { value: unknown }) => String(value));
  const ipAddresses = altNames
    .filter(({ type }) => type === IP_ADDRESS)
    .map(({ value }: { value: unknown }) => {
      if (!(value instanceof asn1.OctetString)) throw new RangeError("address is not an octet string");
      return toBytes(value.valueBlock.valueHexView);
    });
  const uris = texts(URI);
  const dnsNames = texts(DNS_NAME);
  const others = altNames.length - uris.length - dnsNames.length - ipAddresses.length;
  return { uris, dnsNames, ipAddresses, others };
}

/** Content of the extension. */
export function encodeSubjectAlternativeNames(uri: string, hosts: readonly string[]): Bytes {
  const names = hosts.map((host) => {
    const address = ipAddressOf(host);
    return address === undefined ? implicit(DNS_NAME, utf8(host)) : implicit(IP_ADDRESS, address);
  });
  return sequence(implicit(URI, utf8(uri)), ...names);
}

/** The bytes of an IPv4 or IPv6 address in text, or `undefined` for a host name. */
export function ipAddressOf(host: string): Bytes | undefined {
  const bytes = /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ? host.split(".").map(Number) : undefined;
  if (bytes?.every((byte) => byte <= 255)) return Uint8Array.from(bytes);
  return host.includes(":") ? ipv6AddressOf(host) : undefined;
}

/** RFC 4291, section 2.2: eight groups, one run of zeros may be left out. */
function ipv6AddressOf(text: string): Bytes | undefined {
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...before, ...Array<string>(missing).fill("0"), ...after];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return concatBytes(
    ...all.map((group) => {
      const value = Number.parseInt(group, 16);
      return Uint8Array.of(value >> 8, value & 0xff);
    }),
  );
}
