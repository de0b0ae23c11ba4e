import { fromHex, toHex } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requireDer } from "../../src/pki/der-reader.ts";
import {
  integer,
  objectIdentifier,
  sequence,
  setOf,
  time,
  tlv,
  utf8String,
} from "../../src/pki/der-writer.ts";

describe("DER is refused for", () => {
  test.each([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["a length beyond the end", "300100"],
    ["content beyond the length", "30000500"],
    ["an indefinite length", "30800000"],
    ["a length that is not the shortest", "30810100"],
    ["a length with a leading zero", `30820080${"0500".repeat(64)}`],
    ["a length of five bytes", "30850000000000"],
    ["a tag of many bytes", "1f8100"],
    ["a value beyond its parent", "3003040500"],
    ["a boolean of 1", "010101"],
    ["a boolean of two bytes", "01020000"],
    ["an integer without content", "0200"],
    ["an integer with a leading zero", "02020001"],
    ["an integer with a leading ff", "0202ff80"],
    ["a bit string without content", "0300"],
    ["a bit string with eight unused bits", "03020800"],
    ["a bit string with unused bits that are set", "030201ff"],
    ["a bit string in parts", "230403020000"],
    ["an octet string in parts", "2404040201 02".replace(" ", "")],
    ["a null with content", "050100"],
    ["an object identifier cut off", "060188"],
    ["an object identifier with a leading zero digit", "06032a8001"],
    ["a sequence that is not constructed", "1000"],
    ["text that is not UTF-8", "0c02c328"],
    ["a printable string with @", "130140"],
    ["a time without seconds", "170b323630373031303030305a"],
    ["a time with an offset", "1711323630373031303030303030 2b30303030".replace(" ", "")],
    ["a set that is not sorted", "3106020102020101"],
  ])("%s", (_name, hex) => {
    expect(() => requireDer(fromHex(hex))).toThrow(RangeError);
  });

  test("values nested without end", () => {
    const nested = Array.from({ length: 40 }).reduce<Uint8Array>((inner) => sequence(inner), sequence());

    expect(() => requireDer(nested)).toThrow("nested");
  });

  test("any bytes at all, without failing otherwise than by RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          requireDer(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { seed: 1 },
    );
  });
});

describe("what is written", () => {
  test("is DER for values of every length", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      requireDer(sequence(tlv(4, new Uint8Array(length)), integer(length), utf8String("x".repeat(length))));
    }
  });

  test("is a set in order", () => {
    expect(toHex(setOf(integer(2), integer(1), tlv(4)))).toBe("3108020101020102" + "0400");
  });

  test("is an object identifier as X.690, section 8.19, and as openssl", () => {
    expect(toHex(objectIdentifier("2.999.3"))).toBe("0603883703");
    expect(toHex(objectIdentifier("1.2.840.10045.3.1.7"))).toBe("06082a8648ce3d030107");
  });

  test("is a time in two digits to 2049 and in four after", () => {
    expect(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999))[0]).toBe(23);
    expect(time(Date.UTC(2050, 0, 1))[0]).toBe(24);
    requireDer(time(Date.UTC(2049, 11, 31)));
    requireDer(time(Date.UTC(2050, 0, 1)));
  });
});
