import { type Bytes, concatBytes, utf8 } from "../bytes/index.ts";
import { derChildren } from "./der-reader.ts";
import { implicit, sequence } from "./der-writer.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import { readGeneralName } from "./general-name.ts";

/** The names of subjectAltName (RFC 5280, section 4.2.1.6). */
export interface SubjectAlternativeNames {
  /** URIs; exactly one in a certificate of Photinus. */
  readonly uris: readonly string[];
  /** Host names, for TLS. */
  readonly dnsNames: readonly string[];
  /** Addresses of 4 or 16 bytes, for TLS. */
  readonly ipAddresses: readonly Bytes[];
  /** E-mail addresses; none in a certificate of Photinus. */
  readonly emailAddresses: readonly string[];
  /** Names as in a subject; none in a certificate of Photinus. */
  readonly directoryNames: readonly DistinguishedName[];
  /** How many names of other kinds there are. */
  readonly others: number;
}

/** What a certificate without the extension says. */
export const NO_NAMES: SubjectAlternativeNames = {
  uris: [],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  directoryNames: [],
  others: 0,
};

/** Names that one certificate may have: each is compared with each constraint above it. */
const MAX_NAMES = 256;

// Tag numbers of GeneralName.
const DNS_NAME = 2;
const URI = 6;
const IP_ADDRESS = 7;

/** Reads the content of the extension, which was checked to be DER. @throws RangeError */
export function readSubjectAlternativeNames(der: Bytes): SubjectAlternativeNames {
  const encoded = derChildren(der);
  if (encoded.length === 0 || encoded.length > MAX_NAMES) throw new RangeError(`${encoded.length} names`);
  const names = encoded.map(readGeneralName);
  const texts = (kind: "uniformResourceIdentifier" | "dNSName" | "rfc822Name"): readonly string[] =>
    names.flatMap((name) => (name.kind === kind ? [name.text] : []));
  const ipAddresses = names.flatMap((name) => (name.kind === "iPAddress" ? [name.address] : []));
  if (ipAddresses.some(({ length }) => length !== 4 && length !== 16)) throw new RangeError("no IP address");
  return {
    uris: texts("uniformResourceIdentifier"),
    dnsNames: texts("dNSName"),
    ipAddresses,
    emailAddresses: texts("rfc822Name"),
    directoryNames: names.flatMap((name) => (name.kind === "directoryName" ? [name.name] : [])),
    others: names.filter(({ kind }) => kind === "other").length,
  };
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
