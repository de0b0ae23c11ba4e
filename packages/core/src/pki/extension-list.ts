import { type Bytes, equalBytes } from "../bytes/index.ts";
import { derChildren, derContent, derObjectIdentifier, requireDer } from "./der-reader.ts";
import { objectIdentifier, octetString, sequence, TRUE } from "./der-writer.ts";

/** One extension (RFC 5280, section 4.1). */
export interface EncodedExtension {
  /** Object identifier in dotted decimals. */
  readonly type: string;
  /** Whether who does not understand it has to refuse the certificate. */
  readonly isCritical: boolean;
  /** Content of the OCTET STRING: bytes in any form until {@link derOf} has looked at them. */
  readonly value: Bytes;
}

/** No certificate of anybody has more; each costs a comparison with those before. */
const MAX_EXTENSIONS = 64;

/**
 * Takes the extensions of a certificate or a revocation list apart: the content of the SEQUENCE, of which `requireDer` has checked the whole.
 * @throws RangeError for none, for too many, for two of one type, for a default that is written out
 */
export function readExtensionList(der: Bytes): readonly EncodedExtension[] {
  const extensions = derChildren(der).map(readExtension);
  if (extensions.length === 0 || extensions.length > MAX_EXTENSIONS) {
    throw new RangeError(`${extensions.length} extensions`);
  }
  // [W-144] RFC 5280, section 4.2: at most one of each type, or two readers disagree about which counts.
  const types = new Set(extensions.map(({ type }) => type));
  if (types.size < extensions.length) throw new RangeError("an extension occurs twice");
  return extensions;
}

function readExtension(der: Bytes): EncodedExtension {
  const parts = derChildren(der);
  const [type, critical] = parts;
  const value = parts.at(-1);
  if (type === undefined || value === undefined || parts.length < 2 || parts.length > 3) {
    throw new RangeError("not an extension");
  }
  const isCritical = parts.length === 3;
  // X.690, section 11.5: a default value, here FALSE, is not written.
  if (isCritical && !(critical !== undefined && equalBytes(critical, TRUE))) {
    throw new RangeError("a default value is written");
  }
  return { type: derObjectIdentifier(type), isCritical, value: derContent(value, 4) };
}

/** One extension as {@link readExtensionList} takes it. @param value DER */
export function encodeExtension(type: string, value: Bytes): Bytes {
  return sequence(objectIdentifier(type), octetString(value));
}

/** One extension that whoever does not understand it has to refuse. @param value DER */
export function encodeCriticalExtension(type: string, value: Bytes): Bytes {
  return sequence(objectIdentifier(type), TRUE, octetString(value));
}

/** The value of an extension, checked to be exactly one value in DER. @throws RangeError */
export function derOf({ value }: EncodedExtension): Bytes {
  requireDer(value);
  return value;
}
