import { type Bytes, concatBytes, fromHex } from "@photinus/core/bytes";
import { parseCertificate } from "@photinus/core/pki";
import { beforeAll, describe, expect, test } from "vitest";
import {
  bitString,
  explicit,
  integer,
  NULL,
  objectIdentifier,
  sequence,
  tlv,
} from "../../src/pki/der-writer.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import type { Forgery } from "./forge.ts";
import { algorithm, type ForgedSite, field, forgedSite } from "./forged-site.ts";

let site: ForgedSite;

beforeAll(async () => {
  site = await forgedSite();
});

describe("keys", () => {
  const P256_POINT = `04${"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"}${"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"}`;

  function rsa(bits: number, exponent: number | Uint8Array = 65_537, last = 0x81): Bytes {
    const modulus = new Uint8Array(Math.ceil(bits / 8)).fill(0xa5);
    modulus[0] = 1 << ((bits - 1) % 8);
    modulus[modulus.length - 1] = last;
    return rsaOf(sequence(integer(modulus), integer(exponent)));
  }

  function rsaOf(numbers: Bytes, parameters: readonly Bytes[] = [NULL]): Bytes {
    return sequence(sequence(objectIdentifier(OID.rsaEncryption), ...parameters), bitString(numbers));
  }

  function curve(parameters: Bytes, point: Bytes = fromHex(P256_POINT)): Bytes {
    return sequence(sequence(objectIdentifier(OID.ecPublicKey), parameters), bitString(point));
  }

  const p256 = objectIdentifier(OID.p256);

  test.each<readonly [string, Bytes]>([
    ["P-256", curve(p256)],
    ["RSA of 2048 bits", rsa(2048)],
    ["RSA of 4096 bits", rsa(4096)],
  ])("are read: %s", async (_name, publicKey) => {
    const der = await site.make({}, { publicKey });

    await expect(parseCertificate(der, { crypto: site.crypto })).resolves.toBeDefined();
  });

  test.each<readonly [string, Bytes, "UNSUPPORTED" | "MALFORMED"]>([
    ["RSA of 1024 bits", rsa(1024), "UNSUPPORTED"],
    ["RSA of 2047 bits", rsa(2047), "UNSUPPORTED"],
    ["RSA of 4097 bits", rsa(4097), "UNSUPPORTED"],
    ["RSA with exponent 3", rsa(2048, 3), "UNSUPPORTED"],
    ["RSA with an even exponent", rsa(2048, 65_538), "UNSUPPORTED"],
    ["RSA with an exponent of five bytes", rsa(2048, new Uint8Array(5).fill(1)), "UNSUPPORTED"],
    ["RSA with an even modulus", rsa(2048, 65_537, 0x80), "UNSUPPORTED"],
    [
      "RSA with a negative modulus",
      rsaOf(sequence(tlv(2, Uint8Array.of(0x80)), integer(65_537))),
      "MALFORMED",
    ],
    ["RSA with a third number", rsaOf(sequence(integer(1), integer(3), integer(5))), "MALFORMED"],
    ["RSA without its NULL", rsaOf(sequence(integer(1), integer(3)), []), "MALFORMED"],
    ["RSA whose key is not DER", rsaOf(Uint8Array.of(0x30, 0x80, 0, 0)), "MALFORMED"],
    ["P-521", curve(objectIdentifier(OID.p521)), "UNSUPPORTED"],
    ["secp256k1", curve(objectIdentifier("1.3.132.0.10")), "UNSUPPORTED"],
    ["a curve by its own parameters", curve(sequence(integer(1))), "UNSUPPORTED"],
    [
      "a compressed point",
      curve(p256, concatBytes(Uint8Array.of(2), fromHex(P256_POINT).slice(1, 33))),
      "UNSUPPORTED",
    ],
    ["the point at infinity", curve(p256, Uint8Array.of(0)), "UNSUPPORTED"],
    [
      "Ed25519",
      sequence(sequence(objectIdentifier("1.3.101.112")), bitString(new Uint8Array(32))),
      "UNSUPPORTED",
    ],
    [
      "an RSA-PSS key by its own identifier",
      sequence(sequence(objectIdentifier(OID.rsaPss)), bitString(new Uint8Array(32))),
      "UNSUPPORTED",
    ],
    [
      "bits that are not whole bytes",
      sequence(sequence(objectIdentifier(OID.ecPublicKey), p256), bitString(Uint8Array.of(0x80), 7)),
      "MALFORMED",
    ],
  ])("are refused: %s", async (_name, publicKey, code) => {
    // The identifier of the key is taken from its bits, so the field is put in place afterwards.
    await site.isRefused(field(6, publicKey), code);
  });

  test("are refused: a point that is not on the curve", async () => {
    const off = fromHex(P256_POINT);
    off[64] = (off[64] ?? 0) ^ 1;

    await site.isRefused(field(6, curve(p256, off)), "UNSUPPORTED");
  });
});

describe("algorithms", () => {
  const named = (type: string, ...parameters: Bytes[]): Bytes =>
    sequence(objectIdentifier(type), ...parameters);

  test("the one outside has to be the one that is signed", async () => {
    const outside: Forgery["outside"] = (parts) => {
      parts[1] = named(OID.ecdsaSha384);
    };

    await site.isRefused({ outside }, "MALFORMED");
  });

  test.each<readonly [string, Bytes]>([
    ["ECDSA with SHA-1", named("1.2.840.10045.4.1")],
    ["RSA with SHA-1", named("1.2.840.113549.1.1.5", NULL)],
    ["RSA with MD5", named("1.2.840.113549.1.1.4", NULL)],
    ["ECDSA with parameters", named(OID.ecdsaSha256, NULL)],
    ["RSA without parameters", named(OID.rsaSha256)],
    ["RSA-PSS with the defaults, which are of SHA-1", named(OID.rsaPss, sequence())],
    ["RSA-PSS without parameters", named(OID.rsaPss)],
    [
      "RSA-PSS with a salt of another length than the hash",
      named(
        OID.rsaPss,
        sequence(
          explicit(0, named(OID.sha256, NULL)),
          explicit(1, named(OID.mgf1, named(OID.sha256, NULL))),
          explicit(2, integer(20)),
        ),
      ),
    ],
    [
      "RSA-PSS with a mask of another hash",
      named(
        OID.rsaPss,
        sequence(
          explicit(0, named(OID.sha256, NULL)),
          explicit(1, named(OID.mgf1, named(OID.sha384, NULL))),
          explicit(2, integer(32)),
        ),
      ),
    ],
    ["Ed25519", named("1.3.101.112")],
  ])("are refused: %s", async (_name, der) => {
    await site.isRefused(algorithm(der), "UNSUPPORTED");
  });

  test.each([
    ["RSASSA-PKCS1-v1_5", named(OID.rsaSha256, NULL)],
    ["an algorithm that the issuer's key does not have", named(OID.ecdsaSha512)],
  ] as const)("are refused at the signature: %s", async (_name, der) => {
    await expect(site.verify(await site.make(algorithm(der)))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_CERTIFICATE_(UNSUPPORTED|SIGNATURE)$/) as string,
    });
  });
});
