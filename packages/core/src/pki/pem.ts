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
  const block = `-----BEGIN ${label}-----\\s+([A-Za-z0-9+/=\\s]+?)\\s*-----END ${label}-----\\s*`;
  const text = fromUtf8(file).trimStart();
  if (!new RegExp(`^(?:${block})+$`).test(text)) throw new RangeError(`expected only PEM blocks ${label}`);
  return [...text.matchAll(new RegExp(block, "g"))].map(([, body = ""]) =>
    fromBase64(body.replaceAll(/\s/g, "")),
  );
}

/** @throws PkiError `ERR_CERTIFICATE_MALFORMED` */
export function certificatesFromPem(file: Bytes): readonly Bytes[] {
  try {
    return decodePem("CERTIFICATE", file);
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_MALFORMED", "the file does not hold certificates in PEM", { cause });
  }
}
