import { type Bytes, fromBase64, fromUtf8, toBase64, utf8 } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";

/** No PEM file of Photinus is larger. */
const MAX_PEM_BYTES = 65_536;

/** Labels of the PEM blocks that Photinus writes (RFC 7468). */
export type PemLabel = "CERTIFICATE" | "ENCRYPTED PRIVATE KEY" | "CERTIFICATE REQUEST" | "CMS" | "X509 CRL";

/** DER values as one PEM file, in order. */
export function encodePem(label: PemLabel, ...values: readonly Bytes[]): Bytes {
  const block = (der: Bytes): string => {
    const lines = toBase64(der).match(/.{1,64}/g) ?? [];
    return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
  };
  return utf8(values.map(block).join(""));
}

/**
 * The DER values of a PEM file that holds blocks of one label and nothing else.
 * @throws RangeError when it is anything else, or larger than 64 KiB
 */
export function decodePem(label: PemLabel, file: Bytes): readonly Bytes[] {
  if (file.length > MAX_PEM_BYTES) throw new RangeError(`PEM of ${file.length} bytes`);
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const values: Bytes[] = [];
  // Searched, not matched: a pattern over blanks and lines takes the cube of their number when there is no end.
  for (let rest = fromUtf8(file).trim(); rest !== "" || values.length === 0; ) {
    const endAt = rest.indexOf(end, begin.length);
    if (!rest.startsWith(begin) || endAt < 0) throw new RangeError(`expected only PEM blocks ${label}`);
    values.push(blockContent(rest.slice(begin.length, endAt)));
    rest = rest.slice(endAt + end.length).trimStart();
  }
  return values;
}

function blockContent(text: string): Bytes {
  const characters = text.replaceAll(/\s/g, "");
  if (!/^\s/.test(text) || !/^[A-Za-z0-9+/=]+$/.test(characters)) throw new RangeError("not base64 in PEM");
  return fromBase64(characters);
}

/** @throws PkiError `ERR_CERTIFICATE_MALFORMED` */
export function certificatesFromPem(file: Bytes): readonly Bytes[] {
  try {
    return decodePem("CERTIFICATE", file);
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", "the file does not hold certificates in PEM", { cause });
  }
}
