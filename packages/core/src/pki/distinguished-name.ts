import { type Bytes, fromUtf8, toHex } from "../bytes/index.ts";
import { derChildren, derContent } from "./der-reader.ts";
import { objectIdentifier, sequence, setOf, utf8String } from "./der-writer.ts";
import { OID } from "./object-identifiers.ts";

/** A name in a certificate. */
export interface DistinguishedName {
  /** Name, DER, as it was received. */
  readonly der: Bytes;
  /** Its parts in a form in which equal parts are equal texts (RFC 5280, section 7.1). */
  readonly relativeNames: readonly string[];
  /** Its one CN; `undefined` when there is none or more than one. */
  readonly commonName: string | undefined;
  /** Its one O. */
  readonly organization: string | undefined;
  /** Its one OU. */
  readonly organizationalUnit: string | undefined;
  /** All values of emailAddress (PKCS#9), which old certificates have in place of rfc822Name. */
  readonly emailAddresses: readonly string[];
}

/** Parts of a name to write. */
export interface NameParts {
  /** CN. */
  readonly commonName: string;
  /** O. */
  readonly organization?: string | undefined;
  /** OU. */
  readonly organizationalUnit?: string | undefined;
}

/** O, OU and CN in this order, each an RDN of its own. */
export function encodeDistinguishedName(parts: NameParts): Bytes {
  const relative = (type: string, value: string | undefined): readonly Bytes[] =>
    value === undefined ? [] : [setOf(sequence(objectIdentifier(type), utf8String(value)))];
  return sequence(
    ...relative(OID.organization, parts.organization),
    ...relative(OID.organizationalUnit, parts.organizationalUnit),
    ...relative(OID.commonName, parts.commonName),
  );
}

/**
 * Reads a name of any composition, of which `requireDer` has checked the whole.
 * @throws RangeError
 */
export function readDistinguishedName(der: Bytes): DistinguishedName {
  const relative = derChildren(der).map((one) => derChildren(one, SET).map(readAttribute));
  if (relative.some((attributes) => attributes.length === 0)) throw new RangeError("an empty part of a name");
  const attributes = relative.flat();
  const all = (type: string): readonly (string | undefined)[] =>
    attributes.filter((attribute) => attribute.type === type).map(({ text }) => text);
  const only = (type: string): string | undefined => {
    const [value, ...more] = all(type);
    return more.length === 0 ? value : undefined;
  };
  return {
    der,
    relativeNames: relative.map(comparable),
    commonName: only(TYPES.commonName),
    organization: only(TYPES.organization),
    organizationalUnit: only(TYPES.organizationalUnit),
    emailAddresses: all(TYPES.emailAddress).filter((text) => text !== undefined),
  };
}

/**
 * RFC 5280, section 7.1: texts in whatever encoding are equal without regard to case and to how many spaces stand
 * between words; other values are equal when their bytes are.
 */
export function isSameName(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.relativeNames.length === other.relativeNames.length && isBelow(one, other);
}

/** True when `name` is `base` or begins with it (RFC 5280, section 4.2.1.10, directoryName). */
export function isBelow(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.relativeNames.every((part, index) => part === name.relativeNames[index]);
}

const SET = 0x31;

const typeOf = (dotted: string): string => toHex(objectIdentifier(dotted));
/** Types of attributes, DER in hex. */
const TYPES = {
  commonName: typeOf(OID.commonName),
  organization: typeOf(OID.organization),
  organizationalUnit: typeOf(OID.organizationalUnit),
  emailAddress: typeOf(OID.emailAddress),
} as const;

interface Attribute {
  /** Object identifier, DER in hex. */
  readonly type: string;
  /** The value as text, when it is one. */
  readonly text: string | undefined;
  /** The value, DER. */
  readonly value: Bytes;
}

function readAttribute(der: Bytes): Attribute {
  const [type, value, ...more] = derChildren(der);
  if (type?.[0] !== 6 || value === undefined || more.length > 0) throw new RangeError("not part of a name");
  return { type: toHex(type), text: textOf(value), value };
}

/** UTF8String, NumericString, PrintableString, IA5String, BMPString; others have no text that is known for certain. */
function textOf(value: Bytes): string | undefined {
  const tag = value[0] ?? 0;
  if (tag === 12 || tag === 18 || tag === 19 || tag === 22) return fromUtf8(derContent(value, tag));
  return tag === 30 ? fromUtf16(derContent(value, tag)) : undefined;
}

function fromUtf16(content: Bytes): string {
  if (content.length % 2 !== 0) throw new RangeError("half a character");
  let text = "";
  for (let at = 0; at < content.length; at += 2) {
    text += String.fromCharCode(((content[at] ?? 0) << 8) | (content[at + 1] ?? 0));
  }
  return text;
}

function comparable(attributes: readonly Attribute[]): string {
  const values = attributes.map(({ type, text, value }) => [
    type,
    text === undefined ? toHex(value) : folded(text),
  ]);
  return JSON.stringify(values.map((pair) => JSON.stringify(pair)).toSorted());
}

/** What RFC 4518 does for caseIgnoreMatch: NFKC, one case, spaces. A leading letter tells texts from other values. */
function folded(text: string): string {
  return `t${text.normalize("NFKC").toLowerCase().trim().replaceAll(/\s+/g, " ")}`;
}
