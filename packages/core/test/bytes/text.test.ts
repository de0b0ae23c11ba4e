import {
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from "@photinus/core/bytes";
import fc from "fast-check";
import { expect, test } from "vitest";

const anyBytes = fc.uint8Array({ maxLength: 70 });

/** RFC 4648, section 10; the last two of base64url hold the characters that differ from base64. */
const BASE64: readonly (readonly [text: string, base64: string])[] = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
];

test.for(BASE64)("encodes %j as RFC 4648 does", ([text, base64]) => {
  expect(toBase64(utf8(text))).toBe(base64);
  expect(toBase64Url(utf8(text))).toBe(base64.replaceAll("=", ""));
  expect(fromUtf8(fromBase64(base64))).toBe(text);
});

test("base64url uses the alphabet of RFC 4648, section 5", () => {
  expect(toBase64Url(Uint8Array.of(0xfb, 0xef, 0xff))).toBe("--__");
});

test.for([
  ["hexadecimal", toHex, fromHex],
  ["base64", toBase64, fromBase64],
  ["base64url", toBase64Url, fromBase64Url],
] as const)("%s gives back what it was given", ([, encode, decode]) => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(decode(encode(bytes))).toEqual(Uint8Array.from(bytes));
    }),
  );
});

test("UTF-8 gives back any text, a byte order mark included", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => fromUtf8(utf8(text)) === text));
  expect(fromUtf8(utf8("\u{feff}mark"))).toBe("\u{feff}mark");
});

test.for([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])(
  "refuses %j, which is not UTF-8",
  (bytes) => {
    expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(TypeError);
  },
);

test.for(["0", "0g", "0x00", " 00", "é0"])("refuses %j, which is not hexadecimal", (text) => {
  expect(() => fromHex(text)).toThrow(RangeError);
});

test.for(["A", "AAAAA", "AA==", "+/8", "A A", "AAé"])("refuses %j, which is not base64url", (text) => {
  expect(() => fromBase64Url(text)).toThrow(RangeError);
});

test("refuses a second text for the same bytes: unused bits of base64url must be zero", () => {
  expect(fromBase64Url("AA")).toEqual(Uint8Array.of(0));
  expect(() => fromBase64Url("AB")).toThrow("unused bits");
});

test.for(["A", "====", "A-_A", "é"])("refuses %j, which is not base64", (text) => {
  expect(() => fromBase64(text)).toThrow(RangeError);
});

test("hexadecimal of many bytes is that of its pieces", () => {
  const bytes = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7) % 256);

  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));

  expect(toHex(bytes)).toBe(digits.join(""));
});
