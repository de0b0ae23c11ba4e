import { fromUtf8, utf8 } from "@photinus/core/bytes";
import { certificatesFromPem, decodePem, encodePem } from "@photinus/core/pki";
import { describe, expect, test } from "vitest";

const values = [new Uint8Array(100).fill(1), new Uint8Array([1, 2, 3])];

describe("a PEM file", () => {
  test("gives back its values in order, in lines of 64", () => {
    const file = encodePem("CERTIFICATE", ...values);

    expect(decodePem("CERTIFICATE", file)).toEqual(values);
    expect(
      fromUtf8(file)
        .split("\n")
        .every((line) => line.length <= 64),
    ).toBe(true);
  });

  test("may have the line ends of Windows", () => {
    const file = utf8(fromUtf8(encodePem("CERTIFICATE", ...values)).replaceAll("\n", "\r\n"));

    expect(decodePem("CERTIFICATE", file)).toEqual(values);
  });

  test("is refused with another label, with text between, damaged, empty, or too large", () => {
    const good = fromUtf8(encodePem("CERTIFICATE", ...values));
    const bad = [
      fromUtf8(encodePem("CMS", ...values)),
      `note\n${good}`,
      `${good}note`,
      good.replace("-----END", "----END"),
      good.replace("AQID", "AQ*D"),
      "",
      good.repeat(1000),
    ];

    for (const text of bad) {
      expect(() => certificatesFromPem(utf8(text))).toThrow(
        expect.objectContaining({ code: "ERR_CERTIFICATE_MALFORMED" }),
      );
    }
  });

  test("of blanks without an end is refused at once", () => {
    const blanks = utf8(`-----BEGIN CERTIFICATE-----${" ".repeat(60_000)}`);

    expect(() => certificatesFromPem(blanks)).toThrow(
      expect.objectContaining({ code: "ERR_CERTIFICATE_MALFORMED" }),
    );
  });
});
