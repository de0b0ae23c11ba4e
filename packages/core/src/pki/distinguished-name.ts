import type { Bytes } from "../bytes/index.ts";
import { objectIdentifier, sequence, setOf, utf8String } from "./der-writer.ts";
import type { PkiLibraries } from "./libraries.ts";
import { OID } from "./object-identifiers.ts";

/** A name in a certificate. */
export interface DistinguishedName {
  /** Name, DER. Names are equal when these bytes are. */
  readonly der: Bytes;
  /** Its one CN; `undefined` when there is none or more than one. */
  readonly commonName: string | undefined;
  /** Its one O. */
  readonly organization: string | undefined;
  /** Its one OU. */
  readonly organizationalUnit: string | undefined;
}

/** Parts of a name to write. */
export interface NameParts {
  /** CN. */
  readonly commonName: string;
  /** O. */
  readonly organization?: string;
  /** OU. */
  readonly organizationalUnit?: string;
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

/** Reads a name of any composition. */
export function readDistinguishedName(der: Bytes, { pkijs }: PkiLibraries): DistinguishedName {
  const { typesAndValues } = pkijs.RelativeDistinguishedNames.fromBER(der);
  const only = (type: string): string | undefined => {
    const values = typesAndValues.filter((pair) => pair.type === type);
    const value: unknown = values.length === 1 ? values[0]?.value.valueBlock.value : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return {
    der,
    commonName: only(OID.commonName),
    organization: only(OID.organization),
    organizationalUnit: only(OID.organizationalUnit),
  };
}
