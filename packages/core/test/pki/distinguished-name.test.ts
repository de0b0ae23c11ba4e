import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requireDer } from "../../src/pki/der-reader.ts";
import { objectIdentifier, sequence, setOf, tlv } from "../../src/pki/der-writer.ts";
import {
  type DistinguishedName,
  isBelow,
  isSameName,
  readDistinguishedName,
} from "../../src/pki/distinguished-name.ts";
import { OID } from "../../src/pki/object-identifiers.ts";

const UTF8 = 12;
const PRINTABLE = 19;
const TELETEX = 20;
const IA5 = 22;
const BMP = 30;

/** One attribute: type, tag of the string, text. */
type Attribute = readonly [type: string, tag: number, text: string];

const COUNTRY = "2.5.4.6";

function content(tag: number, text: string): Bytes {
  if (tag !== BMP) return utf8(text);
  return concatBytes(
    ...Array.from(text, (one) => Uint8Array.of(one.charCodeAt(0) >> 8, one.charCodeAt(0) & 0xff)),
  );
}

function read(...parts: readonly (readonly Attribute[])[]): DistinguishedName {
  const der = sequence(
    ...parts.map((attributes) =>
      setOf(
        ...attributes.map(([type, tag, text]) =>
          sequence(objectIdentifier(type), tlv(tag, content(tag, text))),
        ),
      ),
    ),
  );
  requireDer(der);
  return readDistinguishedName(der);
}

const cn = (text: string, tag = UTF8): readonly Attribute[] => [[OID.commonName, tag, text]];
const o = (text: string, tag = UTF8): readonly Attribute[] => [[OID.organization, tag, text]];

describe("two names are the same (RFC 5280, section 7.1)", () => {
  test.each<readonly [string, DistinguishedName, DistinguishedName]>([
    ["in another case", read(cn("Root CA")), read(cn("ROOT ca"))],
    ["with other spaces", read(cn("Root CA")), read(cn("  Root   CA "))],
    ["in another type of string", read(cn("Root CA")), read(cn("root ca", PRINTABLE))],
    ["in two bytes a character", read(cn("Zürich")), read(cn("ZÜRICH", BMP))],
    ["composed otherwise", read(cn("Zürich")), read(cn("Zu\u0308rich"))],
    [
      "with the attributes of one part in another order",
      read([...cn("a"), ...o("b")]),
      read([...o("b"), ...cn("a")]),
    ],
    ["without any part", read(), read()],
  ])("%s", (_name, one, other) => {
    expect(isSameName(one, other)).toBe(true);
    expect(isSameName(other, one)).toBe(true);
  });

  test.each<readonly [string, DistinguishedName, DistinguishedName]>([
    ["with another text", read(cn("Root CA")), read(cn("Root CB"))],
    ["with a space in a word", read(cn("RootCA")), read(cn("Root CA"))],
    ["with another type of attribute", read(cn("a")), read(o("a"))],
    ["with the parts in another order", read(cn("a"), o("b")), read(o("b"), cn("a"))],
    ["with two parts in one", read(cn("a"), o("b")), read([...cn("a"), ...o("b")])],
    ["with a part more", read(cn("a")), read(cn("a"), o("b"))],
    ["with the bytes of a text as no text", read(cn("a")), read(cn("a", TELETEX))],
    ["with a text that looks like a list", read(cn('a","b')), read([...cn("a"), ...cn("b")])],
    ["with a NUL behind", read(cn("a")), read(cn("a\0"))],
  ])("but not %s", (_name, one, other) => {
    expect(isSameName(one, other)).toBe(false);
    expect(isSameName(other, one)).toBe(false);
  });

  test("whatever they are, exactly when their parts are", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 });
    const part = fc.tuple(
      fc.constantFrom(OID.commonName, OID.organization, COUNTRY),
      fc.constantFrom(UTF8, TELETEX),
      text,
    );
    const name = fc.array(fc.array(part, { minLength: 1, maxLength: 2 }), { maxLength: 3 });
    const folded = (value: string): string =>
      value.normalize("NFKC").toLowerCase().trim().replaceAll(/\s+/g, " ");
    const keys = (parts: readonly (readonly Attribute[])[]): string =>
      JSON.stringify(
        parts.map((attributes) =>
          attributes
            .map(([type, tag, value]) =>
              [type, tag === TELETEX ? tag : 0, tag === TELETEX ? value : folded(value)].join("\u{10ffff}"),
            )
            .toSorted(),
        ),
      );

    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(isSameName(read(...one), read(...other))).toBe(keys(one) === keys(other));
        expect(isSameName(read(...one), read(...one))).toBe(true);
      }),
      { seed: 20_260_701, numRuns: 1000 },
    );
  });
});

test("a name is below another that it begins with, part for part", () => {
  const base = read(o("example"));

  expect(isBelow(read(o("Example"), cn("a")), base)).toBe(true);
  expect(isBelow(base, base)).toBe(true);
  expect(isBelow(base, read())).toBe(true);
  expect(isBelow(read(cn("a"), o("example")), base)).toBe(false);
  expect(isBelow(read(), base)).toBe(false);
  expect(isBelow(read(o("example.org")), base)).toBe(false);
});

test("CN, O and OU are read when there is one of each, in any type of string that is a text", () => {
  const name = read([[COUNTRY, PRINTABLE, "CH"]], o("example", PRINTABLE), cn("clinic-a", IA5));

  expect(name).toMatchObject({
    commonName: "clinic-a",
    organization: "example",
    organizationalUnit: undefined,
  });
  expect(read(cn("a"), cn("b")).commonName).toBeUndefined();
  expect(read(cn("a", TELETEX)).commonName).toBeUndefined();
  expect(read([[OID.emailAddress, IA5, "ada@example.org"]]).emailAddresses).toEqual(["ada@example.org"]);
});

test("half a character, and parts that are none, are refused", () => {
  const attribute = (value: Bytes): Bytes => sequence(objectIdentifier(OID.commonName), value);
  const wrong = [
    sequence(setOf(attribute(tlv(BMP, Uint8Array.of(0))))),
    sequence(setOf()),
    sequence(sequence(attribute(tlv(UTF8, utf8("a"))))),
    sequence(setOf(sequence(tlv(UTF8, utf8("a")), tlv(UTF8, utf8("a"))))),
    setOf(setOf(attribute(tlv(UTF8, utf8("a"))))),
  ];

  for (const der of wrong) expect(() => readDistinguishedName(der)).toThrow(RangeError);
});
