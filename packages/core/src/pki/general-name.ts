import { type Bytes, toBytes } from "../bytes/index.ts";
import { derChildren, derContent } from "./der-reader.ts";
import { type DistinguishedName, readDistinguishedName } from "./distinguished-name.ts";

/** GeneralName (RFC 5280, section 4.2.1.6). */
export type GeneralName =
  | { readonly kind: "rfc822Name" | "dNSName" | "uniformResourceIdentifier"; readonly text: string }
  | { readonly kind: "directoryName"; readonly name: DistinguishedName }
  | { readonly kind: "iPAddress"; readonly address: Bytes }
  | { readonly kind: "other" };

/** Names of an otherName, x400Address, ediPartyName or registeredID are not looked into. */
const OTHERS: ReadonlySet<number> = new Set([0xa0, 0xa3, 0xa5, 0x88]);

/**
 * Reads one name.
 * @throws RangeError for a text with other characters than printable ASCII: a NUL ends the name for some readers
 */
export function readGeneralName(der: Bytes): GeneralName {
  const tag = der[0] ?? 0;
  switch (tag) {
    case 0x81:
      return { kind: "rfc822Name", text: asciiOf(der, tag) };
    case 0x82:
      return { kind: "dNSName", text: asciiOf(der, tag) };
    case 0x86:
      return { kind: "uniformResourceIdentifier", text: asciiOf(der, tag) };
    case 0xa4:
      return { kind: "directoryName", name: readDistinguishedName(onlyChild(der)) };
    case 0x87:
      return { kind: "iPAddress", address: toBytes(derContent(der, tag)) };
    default:
      if (!OTHERS.has(tag)) throw new RangeError(`a name of kind ${tag}`);
      return { kind: "other" };
  }
}

function asciiOf(der: Bytes, tag: number): string {
  const text = String.fromCharCode(...derContent(der, tag));
  if (!/^[\x21-\x7e]*$/.test(text)) throw new RangeError("a name with characters that names do not have");
  return text;
}

/** directoryName is EXPLICIT: Name is a CHOICE. */
function onlyChild(der: Bytes): Bytes {
  const [name, ...more] = derChildren(der, 0xa4);
  if (name === undefined || more.length > 0) throw new RangeError("expected one directory name");
  return name;
}
