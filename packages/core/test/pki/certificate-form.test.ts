import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { parseCertificate, TOLERANT_FORM } from "@photinus/core/pki";
import { beforeAll, describe, expect, test } from "vitest";
import {
  bitString,
  explicit,
  integer,
  NULL,
  objectIdentifier,
  sequence,
  tlv,
  utf8String,
} from "../../src/pki/der-writer.ts";
import { extension, type Forgery } from "./forge.ts";
import { added, type ForgedSite, field, forgedSite } from "./forged-site.ts";

type Case = readonly [string, Forgery, "MALFORMED" | "UNSUPPORTED"];

let site: ForgedSite;

beforeAll(async () => {
  site = await forgedSite();
});

test("the template of these tests is accepted when nothing is forged", async () => {
  await site.isAccepted({});
});

describe("version, names and numbers", () => {
  test.each<Case>([
    ["version 1", { fields: (fields) => fields.splice(0, 1) }, "MALFORMED"],
    ["version 2", field(0, explicit(0, integer(1))), "MALFORMED"],
    ["version 4", field(0, explicit(0, integer(3))), "MALFORMED"],
    ["no extensions", { fields: (fields) => fields.splice(7, 1) }, "MALFORMED"],
    ["a field behind the extensions", { fields: (fields) => fields.push(NULL) }, "MALFORMED"],
    [
      "unique identifiers",
      { fields: (fields) => fields.splice(7, 0, tlv(0x81, Uint8Array.of(0, 1))) },
      "MALFORMED",
    ],
    ["serial number 0", field(1, integer(0)), "MALFORMED"],
    ["a negative serial number", field(1, tlv(2, Uint8Array.of(0x80))), "MALFORMED"],
    ["a serial number of 21 bytes", field(1, integer(new Uint8Array(21).fill(1))), "MALFORMED"],
    ["an issuer without a name", field(3, sequence()), "MALFORMED"],
    ["a name with an empty part", field(5, sequence(tlv(0x31))), "MALFORMED"],
    [
      "a name with a part that has no value",
      field(5, sequence(tlv(0x31, sequence(objectIdentifier("2.5.4.3"))))),
      "MALFORMED",
    ],
    ["a subject that is no name", field(5, utf8String("clinic-a")), "MALFORMED"],
    ["more than 8 KiB", added(extension("1.2.3.4", new Uint8Array(9000))), "MALFORMED"],
  ])("are refused: %s", async (_name, forgery, code) => {
    await site.isRefused(forgery, code);
  });

  test("a serial number of 20 bytes is accepted", async () => {
    await site.isAccepted(field(1, integer(new Uint8Array(20).fill(1))));
  });

  test("readers of old certificates may admit what RFC 5280 forbids issuers", async () => {
    const forms: readonly Forgery[] = [
      field(1, integer(0)),
      field(1, tlv(2, Uint8Array.of(0x80))),
      {
        fields: (fields) =>
          fields.splice(7, 0, tlv(0x81, Uint8Array.of(0, 1)), tlv(0x82, Uint8Array.of(0, 1))),
      },
      field(4, sequence(tlv(24, utf8("20260630000000Z")), tlv(24, utf8("20260702000000Z")))),
    ];

    for (const form of forms) {
      const der = await site.make(form);
      await expect(parseCertificate(der, { crypto: site.crypto })).rejects.toMatchObject({
        code: "ERR_CERTIFICATE_MALFORMED",
      });
      await expect(parseCertificate(der, { crypto: site.crypto }, TOLERANT_FORM)).resolves.toBeDefined();
    }
  });

  test("not even they admit unique identifiers in the wrong order, or 21 bytes of serial number", async () => {
    const wrong: readonly Forgery[] = [
      {
        fields: (fields) =>
          fields.splice(7, 0, tlv(0x82, Uint8Array.of(0, 1)), tlv(0x81, Uint8Array.of(0, 1))),
      },
      field(1, integer(new Uint8Array(21).fill(1))),
    ];

    for (const form of wrong) {
      const parsed = parseCertificate(await site.make(form), { crypto: site.crypto }, TOLERANT_FORM);
      await expect(parsed).rejects.toMatchObject({ code: "ERR_CERTIFICATE_MALFORMED" });
    }
  });
});

describe("validity", () => {
  const utc = (text: string): Bytes => tlv(23, utf8(text));
  const general = (text: string): Bytes => tlv(24, utf8(text));
  const BEFORE = utc("260630000000Z");
  const AFTER = utc("260702000000Z");

  test.each<readonly [string, Bytes]>([
    ["of both ends in UTCTime", sequence(BEFORE, AFTER)],
    ["without an end (RFC 5280, section 4.1.2.5)", sequence(BEFORE, general("99991231235959Z"))],
    [
      "from the last century to the last second of 2049",
      sequence(utc("500101000000Z"), utc("491231235959Z")),
    ],
    ["to a day that only leap years have", sequence(BEFORE, utc("280229000000Z"))],
  ])("is accepted %s", async (_name, der) => {
    await site.isAccepted(field(4, der));
  });

  test.each<readonly [string, Bytes]>([
    ["the long form before 2050", sequence(general("20260630000000Z"), AFTER)],
    ["a time without seconds", sequence(utc("2606300000Z"), AFTER)],
    ["a time with an offset", sequence(utc("260630000000+0000"), AFTER)],
    ["a time with a fraction", sequence(BEFORE, general("20510702000000.5Z"))],
    ["the 30th of February", sequence(BEFORE, utc("270230000000Z"))],
    ["the 29th of February of no leap year", sequence(BEFORE, utc("270229000000Z"))],
    ["a thirteenth month", sequence(BEFORE, utc("261301000000Z"))],
    ["a leap second", sequence(BEFORE, utc("261231235960Z"))],
    ["an hour 24", sequence(BEFORE, utc("260702240000Z"))],
    ["an end before the beginning", sequence(AFTER, BEFORE)],
    ["three times", sequence(BEFORE, AFTER, AFTER)],
    ["one time", sequence(BEFORE)],
    ["a text in place of a time", sequence(utf8String("260630000000Z"), AFTER)],
  ])("is refused: %s", async (_name, der) => {
    await site.isRefused(field(4, der), "MALFORMED");
  });
});

describe("the encoding is refused when", () => {
  test("anything follows the certificate", async () => {
    const der = await site.make({});

    for (const after of [Uint8Array.of(0), Uint8Array.of(0, 0), der]) {
      await expect(site.verify(concatBytes(der, after))).rejects.toMatchObject({
        code: "ERR_CERTIFICATE_MALFORMED",
      });
    }
  });

  test("its length is indefinite, or longer than it has to be", async () => {
    const der = await site.make({});
    const content = der.subarray(4);
    const forms = [
      concatBytes(Uint8Array.of(0x30, 0x80), content, Uint8Array.of(0, 0)),
      concatBytes(Uint8Array.of(0x30, 0x83, 0), der.subarray(2)),
      concatBytes(Uint8Array.of(0x30, 0x84, 0, 0), der.subarray(2)),
    ];

    expect(der[1]).toBe(0x82);
    for (const form of forms) {
      await expect(site.verify(form)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_MALFORMED" });
    }
  });

  test("a length inside is longer than it has to be, though the signature covers it", async () => {
    const serial = integer(5);
    const overlong = concatBytes(Uint8Array.of(2, 0x81, 1), serial.subarray(2));

    await site.isRefused(field(1, overlong), "MALFORMED");
  });

  test("its signature is not whole bytes, or in other numbers than two", async () => {
    const bits: Forgery["outside"] = (parts) => {
      parts[2] = bitString(Uint8Array.of(0x80), 7);
    };
    const three: Forgery["outside"] = (parts) => {
      parts[2] = bitString(sequence(integer(1), integer(1), integer(1)));
    };
    const negative: Forgery["outside"] = (parts) => {
      parts[2] = bitString(sequence(tlv(2, Uint8Array.of(0x80)), integer(1)));
    };

    await site.isRefused({ outside: bits }, "MALFORMED");
    await site.isRefused({ outside: three }, "SIGNATURE");
    await site.isRefused({ outside: negative }, "SIGNATURE");
  });
});
