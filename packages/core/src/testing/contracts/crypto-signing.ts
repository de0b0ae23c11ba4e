import { expect, test } from "vitest";
import { type Bytes, concatBytes, fromHex, toBytes, utf8 } from "../../bytes/index.ts";
import { certificateScheme } from "../../pki/index.ts";
import type { CryptoProvider, SignatureAlgorithm } from "../../platform/index.ts";
import { certificateSignatureContract } from "./crypto-certificates.ts";
import { RSA_WITH_LEADING_ZERO } from "./rsa-leading-zero.ts";

const ALGORITHMS: readonly (readonly [SignatureAlgorithm, number])[] = [
  [1, 64],
  [2, 256],
  [3, 96],
];

// SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480), up to the point's coordinates.
const P256_SPKI = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

/** The part of the contract about signatures. */
export function signingContract(create: () => CryptoProvider): void {
  vectors(create);
  for (const [algorithm, signatureBytes] of ALGORITHMS) {
    roundTrip(create, algorithm, signatureBytes);
    keys(create, algorithm);
  }
  refusals(create);
  certificateSignatureContract(create);
}

function vectors(create: () => CryptoProvider): void {
  test("verifies ECDSA P-256 as RFC 6979, A.2.5, in P1363 form", async () => {
    const crypto = create();
    const spki = concatBytes(
      P256_SPKI,
      fromHex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
      fromHex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
    );
    const signature = concatBytes(
      fromHex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
      fromHex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
    );
    const key = await crypto.importVerifyingKey(spki, 1);

    expect(await crypto.verify(key, signature, utf8("sample"))).toBe(true);
    expect(await crypto.verify(key, signature, utf8("simple"))).toBe(false);
  });

  test("verifies RSA-PSS whose first byte is zero, and not without that byte", async () => {
    const crypto = create();
    const { spki, signature } = RSA_WITH_LEADING_ZERO;
    const key = await crypto.importVerifyingKey(spki, 2);
    const data = utf8("round 3");
    const certificates = (bytes: Bytes) =>
      crypto.verifyCertificateSignature(spki, certificateScheme(2), bytes, data);

    for (const check of [(bytes: Bytes) => crypto.verify(key, bytes, data), certificates]) {
      expect(await check(signature)).toBe(true);
      expect(await check(signature.slice(1))).toBe(false);
      expect(await check(concatBytes(Uint8Array.of(0), signature))).toBe(false);
    }
  });
}

function roundTrip(
  create: () => CryptoProvider,
  algorithm: SignatureAlgorithm,
  signatureBytes: number,
): void {
  test(`algorithm ${algorithm}: verifies what it signed and nothing else`, async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(algorithm, { modulusLength: 2048 });
    const verifying = await crypto.importVerifyingKey(key.publicKey, algorithm);
    const data = utf8("round 3");

    const signature = await crypto.sign(key, data);

    expect(signature).toHaveLength(signatureBytes);
    expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype);
    expect(await crypto.verify(verifying, signature, data)).toBe(true);
    expect(await crypto.verify(verifying, signature, utf8("round 4"))).toBe(false);
    expect(await crypto.verify(verifying, flipped(signature, 5), data)).toBe(false);
    expect(await crypto.verify(verifying, signature.slice(1), data)).toBe(false);
    expect(await crypto.verify(verifying, new Uint8Array(0), data)).toBe(false);
    expect(await crypto.verify(verifying, new Uint8Array(signatureBytes), data)).toBe(false);
  });

  test(`algorithm ${algorithm}: verifies its signature as a certificate carries it`, async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(algorithm, { modulusLength: 2048 });
    const data = utf8("tbs");

    const signature = await crypto.sign(key, data);

    const check = (bytes: Bytes, content: Bytes) =>
      crypto.verifyCertificateSignature(key.publicKey, certificateScheme(algorithm), bytes, content);
    expect(await check(signature, data)).toBe(true);
    expect(await check(flipped(signature, 9), data)).toBe(false);
    expect(await check(signature, utf8("other"))).toBe(false);
  });
}

function keys(create: () => CryptoProvider, algorithm: SignatureAlgorithm): void {
  test(`algorithm ${algorithm}: exports an extractable key that signs after import`, async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(algorithm, { extractable: true, modulusLength: 2048 });

    const pkcs8 = await crypto.exportSigningKey(key);
    const imported = await crypto.importSigningKey(pkcs8, key.publicKey, algorithm);

    const verifying = await crypto.importVerifyingKey(key.publicKey, algorithm);
    const data = utf8("after import");
    expect(await crypto.verify(verifying, await crypto.sign(imported, data), data)).toBe(true);
    await expect(async () => crypto.exportSigningKey(imported)).rejects.toThrow(TypeError);
  });
}

function refusals(create: () => CryptoProvider): void {
  test("does not export a key that was generated as not extractable", async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(1);

    await expect(async () => crypto.exportSigningKey(key)).rejects.toThrow(TypeError);
  });

  test("refuses a private key beside another's public key, of another algorithm, or damaged", async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(1, { extractable: true });
    const stranger = await crypto.generateSigningKey(1);
    const pkcs8 = await crypto.exportSigningKey(key);
    const unreadable = { code: "ERR_KEY_UNREADABLE" };

    await expect(async () => crypto.importSigningKey(pkcs8, stranger.publicKey, 1)).rejects.toMatchObject(
      unreadable,
    );
    await expect(async () => crypto.importSigningKey(pkcs8, key.publicKey, 3)).rejects.toMatchObject(
      unreadable,
    );
    await expect(async () =>
      crypto.importSigningKey(pkcs8.slice(0, -9), key.publicKey, 1),
    ).rejects.toMatchObject(unreadable);
  });

  test("refuses a public key of another algorithm, of another curve or damaged", async () => {
    const crypto = create();
    const { publicKey } = await crypto.generateSigningKey(1);
    const unsupported = { code: "ERR_CERTIFICATE_UNSUPPORTED" };

    await expect(async () => crypto.importVerifyingKey(publicKey, 2)).rejects.toMatchObject(unsupported);
    await expect(async () => crypto.importVerifyingKey(publicKey, 3)).rejects.toMatchObject(unsupported);
    await expect(async () => crypto.importVerifyingKey(publicKey.slice(0, -1), 1)).rejects.toMatchObject(
      unsupported,
    );
    // The last byte of the point altered: no longer on the curve.
    await expect(async () =>
      crypto.importVerifyingKey(flipped(publicKey, publicKey.length - 1), 1),
    ).rejects.toMatchObject(unsupported);
  });

  test("refuses a key handle of another provider", async () => {
    const crypto = create();
    const key = await crypto.generateSigningKey(1);

    await expect(async () => crypto.sign({ ...key, handle: "foreign" }, utf8("x"))).rejects.toThrow(
      TypeError,
    );
  });
}

function flipped(bytes: Bytes, at: number): Bytes {
  const copy = toBytes(bytes.slice());
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
