import { type Bytes, utf8 } from "@photinus/core/bytes";
import { explicit, objectIdentifier, sequence, setOf, tlv, utf8String } from "../../src/pki/der-writer.ts";
import type { NameParts } from "../../src/pki/distinguished-name.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { extension } from "./forge.ts";

// GeneralNames (RFC 5280, section 4.2.1.6), DER.
export const dns = (text: string): Bytes => tlv(0x82, utf8(text));
export const uri = (text: string): Bytes => tlv(0x86, utf8(text));
export const mail = (text: string): Bytes => tlv(0x81, utf8(text));
export const directory = (parts: Partial<NameParts>): Bytes => explicit(4, nameOf(parts));
export const address = (...bytes: number[]): Bytes => tlv(0x87, Uint8Array.from(bytes));

/** A name of any of the parts. */
export function nameOf({ organization, organizationalUnit, commonName }: Partial<NameParts>): Bytes {
  const part = (type: string, text: string | undefined): readonly Bytes[] =>
    text === undefined ? [] : [setOf(sequence(objectIdentifier(type), utf8String(text)))];
  return sequence(
    ...part(OID.organization, organization),
    ...part(OID.organizationalUnit, organizationalUnit),
    ...part(OID.commonName, commonName),
  );
}

/** GeneralNames of both lists. */
export interface Subtrees {
  readonly permitted?: readonly Bytes[];
  readonly excluded?: readonly Bytes[];
}

/** The extension nameConstraints. */
export function constraints(
  { permitted, excluded }: Subtrees,
  criticality: "critical" | "" = "critical",
): Bytes {
  const list = (number: number, names: readonly Bytes[] | undefined): readonly Bytes[] =>
    names === undefined ? [] : [explicit(number, ...names.map((name) => sequence(name)))];
  return extension(OID.nameConstraints, sequence(...list(0, permitted), ...list(1, excluded)), criticality);
}
